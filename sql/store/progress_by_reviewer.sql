-- Decisions made and pending, by reviewer
select
    items.reviewer as label, count(*) as items, count(items.held) as decided, count(*) - count(items.held) as pending,
    count(*) filter (where items.risk in ('critical', 'high')) as high_risk,
    count(*) filter (where items.risk in ('critical', 'high') and items.held is null) as high_risk_pending
from items
group by items.reviewer
order by items.reviewer
