-- Decisions made and pending, by risk, the most severe first
-- $campaign: the campaign's name
with

severities as (
    select *
    from (values ('critical', 1), ('high', 2), ('medium', 3), ('low', 4), ('info', 5)) as ranked (risk, position)
)

select
    severities.risk, count(item.item_id) as items, count(item.decision) as decided,
    count(item.item_id) - count(item.decision) as pending
from severities
left join review.assigned_items($campaign) as item on item.risk = severities.risk
group by severities.risk, severities.position
order by severities.position
