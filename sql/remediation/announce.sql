-- Records that an approved plan is about to be applied, and where its journal is
-- $plan_id: the plan
-- $campaign: the campaign whose decisions it carries out, or null
-- $path: the copy of the plan that has the journal beside it
-- $approver: who approved it
-- $approver_email: their e-mail address
-- $approved_at: when
insert into review.plans by name
select
    $plan_id as plan_id, $campaign as campaign, $path as path, $approver as approver,
    $approver_email as approver_email, $approved_at::timestamp as approved_at
on conflict (plan_id) do update set
    path = excluded.path, approver = excluded.approver, approver_email = excluded.approver_email,
    approved_at = excluded.approved_at
