-- Number of items that were left out of a campaign, by reason
-- $campaign: the campaign's name
select exclusion_reason as reason, count(*) as items
from review.items
where campaign = $campaign and exclusion_reason is not null
group by exclusion_reason
order by reason, items
