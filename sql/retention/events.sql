-- Which events are old enough to prune?
-- $before: changes that were detected before this moment (UTC) are old enough
-- The last event stays, because the next one gets the position after it, and so does every event from the one on that a
-- sink took last: a sink continues after that one.
select position
from history.events
where
    detected_at < $before
    and position < (select max(position) from history.events)
    and position < coalesce((select min(position) from meta.deliveries), (select max(position) from history.events))
