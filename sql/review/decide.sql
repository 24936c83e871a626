-- Adds a decision; the earlier ones on the same item stay
-- $campaign: the campaign's name
-- $item_id: the item
-- $decision: keep, remove, reduce, defer or exception
-- $reason: why, in the reviewer's words
-- $target_role: the role to reduce to
-- $defer_until: the day until which the decision is deferred
-- $approver: who approved the exception
-- $expires_on: last day of the exception
-- $reviewer_email: who decided
-- $imported_at: now
-- $file_name: the file it came in
-- $file_sha256: hash of that file
insert into review.decisions by name
select
    $campaign as campaign, $item_id as item_id, coalesce(max(sequence), 0) + 1 as sequence, $decision as decision,
    $reason as reason, $target_role as target_role, $defer_until::date as defer_until, $approver as approver,
    $expires_on::date as expires_on, $reviewer_email as reviewer_email, $imported_at::timestamp as imported_at,
    $file_name as file_name, $file_sha256 as file_sha256
from review.decisions
where campaign = $campaign and item_id = $item_id
