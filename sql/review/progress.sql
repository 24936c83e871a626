-- Decisions made and pending, by reviewer
-- $campaign: the campaign's name
select
    reviewer_email, count(*) as items, count(decision) as decided, count(*) - count(decision) as pending,
    count(*) filter (where decision = 'keep') as kept,
    count(*) filter (where decision = 'remove') as removed,
    count(*) filter (where decision = 'reduce') as reduced,
    count(*) filter (where decision = 'defer') as deferred,
    count(*) filter (where decision = 'exception') as excepted,
    count(*) filter (where is_high_risk) as high_risk,
    count(*) filter (where is_high_risk and decision is null) as high_risk_pending
from review.assigned_items($campaign)
group by reviewer_email
order by reviewer_email
