-- All decisions of a campaign, in the order in which they were made
-- $campaign: the campaign's name
-- Decisions of earlier versions have no id of their own.
select
    coalesce(decision_id, 'file-' || item_id || '-' || sequence) as decision_id, item_id, decision, reason, target_role,
    defer_until, approver, expires_on, reviewer_email as reviewer, coalesce(method, 'file') as method,
    coalesce(is_bulk, false) as is_bulk, decided_from, decided_at, coalesce(decided_at, imported_at) as recorded_at, undoes,
    file_name, file_sha256
from review.decisions
where campaign = $campaign
order by imported_at, sequence, item_id
