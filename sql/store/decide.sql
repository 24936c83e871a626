-- Adds a decision; the earlier ones on the same item stay
-- $decision_id: its random id
-- $item_id: the item
-- $decision: keep, remove, reduce, defer, exception or withdrawn
-- $reason: why, in the reviewer's words
-- $target_role: the role to reduce to
-- $defer_until: the day until which the decision is deferred
-- $approver: who approved the exception
-- $expires_on: last day of the exception
-- $reviewer: who decided
-- $method: link, oidc or file
-- $is_bulk: 1 if the recommendations for a person were accepted in one step
-- $decided_from: network address
-- $decided_at: when the reviewer decided, or null
-- $recorded_at: now
-- $undoes: id of the decision that is taken back, or null
-- $action_id: the same for all decisions of one step
-- $file_name: name of the file it came in, or null
-- $file_sha256: hash of that file, or null
insert into decisions (
    decision_id, item_id, decision, reason, target_role, defer_until, approver, expires_on, reviewer, method, is_bulk,
    decided_from, decided_at, recorded_at, undoes, action_id, file_name, file_sha256
)
values (
    $decision_id, $item_id, $decision, $reason, $target_role, $defer_until, $approver, $expires_on, $reviewer, $method,
    $is_bulk, $decided_from, $decided_at, $recorded_at, $undoes, $action_id, $file_name, $file_sha256
)
