-- All reassignments of a campaign, in the order in which they were made
-- $campaign: the campaign's name
select reassignment_id, item_id, from_email, to_email, reason, reassigned_by, reassigned_at
from review.reassignments
where campaign = $campaign
order by reassigned_at, sequence, item_id
