-- Decisions made and pending of one reviewer, by attention
-- $reviewer: the reviewer's e-mail address
select
    cast(items.attention as text) as label, count(*) as items, count(items.held) as decided,
    count(*) - count(items.held) as pending,
    count(*) filter (where items.risk in ('critical', 'high')) as high_risk,
    count(*) filter (where items.risk in ('critical', 'high') and items.held is null) as high_risk_pending
from items
where items.reviewer = $reviewer
group by items.attention
order by items.attention
