-- Ids of the decisions and reassignments of a campaign that the database has
-- $campaign: the campaign's name
select coalesce(decision_id, 'file-' || item_id || '-' || sequence) as id
from review.decisions
where campaign = $campaign
union all
select reassignment_id from review.reassignments where campaign = $campaign
