-- Records the outcome of a change; a later entry of its journal replaces it
-- $change_id: the change
-- $plan_id: its plan
-- $campaign: the campaign whose decision it carries out, or null
-- $item_id: the item of that decision, or null
-- $finding_id: the finding it rests on, or null
-- $source: the source
-- $account_id: the account
-- $user_name: its user name
-- $action: deactivate, change_role, remove_from_groups, activate, restore_role or restore_groups
-- $entitlement_type: role or group, or null
-- $entitlement_id: its id
-- $reason: why it was planned
-- $request: the fields that were sent, as JSON
-- $previous: the same fields before the change, as JSON, or null
-- $state: applied, skipped, failed, unclear or left_out
-- $detail: why it was skipped, failed or is unclear
-- $applied_at: when its outcome was known
-- $applied_by: who applied the plan
-- $applied_by_email: their e-mail address
-- $approver: who approved the plan
-- $approver_email: their e-mail address
-- $is_single_operator: whether the same person approved and applied it
insert into review.changes by name
select
    $change_id as change_id, $plan_id as plan_id, $campaign as campaign, $item_id as item_id,
    $finding_id as finding_id, $source as source, $account_id as account_id, $user_name as user_name,
    $action as action, $entitlement_type as entitlement_type, $entitlement_id as entitlement_id, $reason as reason,
    $request::json as request, $previous::json as previous, $state as state, $detail as detail,
    $applied_at::timestamp as applied_at, $applied_by as applied_by,
    $applied_by_email as applied_by_email, $approver as approver, $approver_email as approver_email,
    $is_single_operator as is_single_operator
on conflict (change_id) do update set
    state = excluded.state, detail = excluded.detail, previous = excluded.previous,
    applied_at = excluded.applied_at, applied_by = excluded.applied_by,
    applied_by_email = excluded.applied_by_email, is_single_operator = excluded.is_single_operator
where review.changes.state <> 'left_out'
