-- Decisions made and pending, by risk, the most severe first
-- $campaign: the campaign's name
select
    severities.severity as risk, count(item.item_id) as items, count(item.decision) as decided,
    count(item.item_id) - count(item.decision) as pending
from reference.severities as severities
left join review.assigned_items($campaign) as item on item.risk = severities.severity
group by severities.severity, severities.position
order by severities.position
