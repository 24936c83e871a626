/*
summary = "One change that was sent to a source before the extract, with its verdict in this snapshot."
reads   = ["review.changes", "review.plans", "graph.accounts", "graph.memberships", "graph.roles", "graph.groups", "meta.sources", "reference.snapshot"]
grain   = ["change_id"]

[columns]
change_id           = "varchar: the change"
source              = "varchar: the source's name in the configuration"
account_id          = "varchar: the source's own id of the account, verbatim"
label               = "varchar: display name now, or else the user name at planning"
email               = "varchar: e-mail address now"
action              = "varchar: the requested action"
target              = "varchar: names of the role to assign, or of the groups to remove or restore"
reason              = "varchar: the reason, in words"
campaign            = "varchar: the review campaign that decided it, if any"
state               = "varchar: applied, failed or unclear, as recorded when it was sent"
detail              = "varchar: note of the journal, if any"
applied_at          = "timestamp: time of that record, UTC"
applied_by          = "varchar: who applied the plan"
applied_by_email    = "varchar: their e-mail address"
approver            = "varchar: who approved it"
approver_email      = "varchar: their e-mail address"
approved_at         = "timestamp: when, UTC"
is_single_operator  = "boolean: the same person approved and applied it"
verdict             = "varchar: removed_verified, still_present, reappeared or not_verifiable"
*/
with

listed_changes as (
    select
        *, cast(request -> 'groups' as varchar[]) as requested_groups,
        cast(previous -> 'groups' as varchar[]) as previous_groups
    from review.changes
),

sent_changes as (
    select changes.*
    from listed_changes as changes
    cross join reference.snapshot as snapshot
    where changes.state in ('applied', 'unclear', 'failed') and changes.applied_at <= snapshot.started_at
),

-- A change that was undone later is verified by the change that undid it.
undone_changes as (
    select distinct made.change_id
    from sent_changes as made
    join sent_changes as later
        on later.source = made.source and later.account_id = made.account_id and later.applied_at > made.applied_at
    where later.state = 'applied' and later.action in ('activate', 'restore_role', 'restore_groups')
),

group_changes as (
    select change_id, source, account_id, true as is_wanted, unnest(requested_groups) as group_id, previous_groups as others
    from sent_changes
    where action = 'restore_groups'
    union all
    select change_id, source, account_id, false, unnest(previous_groups), requested_groups
    from sent_changes
    where action = 'remove_from_groups'
),

-- The groups to remove from an account or to restore.
group_targets as (
    select change_id, source, account_id, group_id, is_wanted
    from group_changes
    where not list_contains(others, group_id)
),

group_results as (
    select
        targets.change_id,
        array_to_string(list_sort(list(distinct coalesce(groups.group_name, targets.group_id))), '; ') as names,
        bool_and((membership.group_id is not null) = targets.is_wanted) as holds
    from group_targets as targets
    left join graph.groups as groups on groups.source = targets.source and groups.group_id = targets.group_id
    left join graph.memberships as membership
        on membership.source = targets.source and membership.account_id = targets.account_id
        and membership.group_id = targets.group_id
    group by targets.change_id
),

verified_changes as (
    select
        made.*,
        coalesce(account.display_name, account.user_name, made.user_name) as label, account.email,
        case
            when made.action in ('change_role', 'restore_role')
                then coalesce(role.role_display_name, made.request ->> 'roleId')
            else group_results.names
        end as target,
        -- Verdicts of later snapshots do not count.
        case when made.verified_snapshot_id < snapshot.snapshot_id then made.verified_state end as earlier_verdict,
        case
            when snapshot.completeness <> 'FULL' or source.error is not null or source.source is null then null
            when account.account_id is null then made.action in ('deactivate', 'change_role', 'remove_from_groups')
            when made.action in ('deactivate', 'activate') and account.status = 'unknown' then null
            when made.action in ('change_role', 'restore_role') and list_contains(account.unreadable_fields, 'roleId') then null
            when made.action in ('remove_from_groups', 'restore_groups')
                and list_contains(account.unreadable_fields, 'groups') then null
            when made.action = 'deactivate' then account.status <> 'active'
            when made.action = 'activate' then account.status = 'active'
            when made.action in ('change_role', 'restore_role') then account.role_id = made.request ->> 'roleId'
            when made.action in ('remove_from_groups', 'restore_groups') then coalesce(group_results.holds, true)
        end as holds
    from sent_changes as made
    cross join reference.snapshot as snapshot
    left join meta.sources as source on source.snapshot_id = snapshot.snapshot_id and source.source = made.source
    left join graph.accounts as account on account.source = made.source and account.account_id = made.account_id
    left join graph.roles as role on role.source = made.source and role.role_id = made.request ->> 'roleId'
    left join group_results on group_results.change_id = made.change_id
    left join undone_changes as undone on undone.change_id = made.change_id
    where undone.change_id is null
)

select
    changes.change_id, changes.source, changes.account_id, changes.label, changes.email, changes.action, changes.target,
    changes.reason, changes.campaign, changes.state, changes.detail, changes.applied_at, changes.applied_by, changes.applied_by_email,
    changes.approver, changes.approver_email, plans.approved_at, changes.is_single_operator,
    case
        when changes.holds is null then 'not_verifiable'
        when changes.holds then 'removed_verified'
        when changes.earlier_verdict in ('removed_verified', 'reappeared') then 'reappeared'
        else 'still_present'
    end as verdict
from verified_changes as changes
left join review.plans as plans on plans.plan_id = changes.plan_id

/* example
name = "an effective change is verified; one that was verified and is undone has reappeared; later verdicts do not count"
given."reference.snapshot" = [ { snapshot_id = "20260301", started_at = 2026-03-01T12:00:00Z, completeness = "FULL" } ]
given."meta.sources" = [ { snapshot_id = "20260301", source = "s" } ]
given."review.plans" = [ { plan_id = "p", approved_at = 2026-02-01T08:00:00Z } ]
given."review.changes" = [
  { change_id = "1", plan_id = "p", source = "s", account_id = "off", action = "deactivate", request = "{}", state = "applied", applied_at = 2026-02-01T09:00:00Z },
  { change_id = "2", source = "s", account_id = "on", action = "deactivate", request = "{}", state = "failed", applied_at = 2026-02-01T09:00:00Z },
  { change_id = "3", source = "s", account_id = "on", action = "deactivate", request = "{}", state = "applied", applied_at = 2026-02-01T09:00:00Z, verified_state = "removed_verified", verified_snapshot_id = "20260210" },
  { change_id = "4", source = "s", account_id = "on", action = "deactivate", request = "{}", state = "applied", applied_at = 2026-02-01T09:00:00Z, verified_state = "removed_verified", verified_snapshot_id = "20260401" },
  { change_id = "5", source = "s", account_id = "who", action = "deactivate", request = "{}", state = "applied", applied_at = 2026-02-01T09:00:00Z },
  { change_id = "6", source = "s", account_id = "gone", action = "deactivate", request = "{}", state = "applied", applied_at = 2026-02-01T09:00:00Z },
  { change_id = "7", source = "s", account_id = "gone", action = "activate", request = "{}", state = "applied", applied_at = 2026-02-01T08:00:00Z },
  { change_id = "8", source = "other", account_id = "off", action = "deactivate", request = "{}", state = "applied", applied_at = 2026-02-01T09:00:00Z },
  { change_id = "9", source = "s", account_id = "off", action = "deactivate", request = "{}", state = "skipped", applied_at = 2026-02-01T09:00:00Z },
  { change_id = "10", source = "s", account_id = "off", action = "deactivate", request = "{}", state = "applied", applied_at = 2026-03-02T09:00:00Z },
]
given."graph.accounts" = [
  { source = "s", account_id = "off", status = "inactive", display_name = "Ada" },
  { source = "s", account_id = "on", status = "active" },
  { source = "s", account_id = "who", status = "unknown" },
]
expect = [
  { change_id = "1", label = "Ada", verdict = "removed_verified", approved_at = 2026-02-01T08:00:00Z },
  { change_id = "2", verdict = "still_present" },
  { change_id = "3", verdict = "reappeared" },
  { change_id = "4", verdict = "still_present" },
  { change_id = "5", verdict = "not_verifiable" },
  { change_id = "6", verdict = "removed_verified" },
  { change_id = "7", verdict = "still_present" },
  { change_id = "8", verdict = "not_verifiable" },
]
*/

/* example
name = "changes of roles and groups are verified by the role and the groups; an undone change by the change that undid it"
given."reference.snapshot" = [ { snapshot_id = "20260301", started_at = 2026-03-01T12:00:00Z, completeness = "FULL" } ]
given."meta.sources" = [ { snapshot_id = "20260301", source = "s" } ]
given."review.changes" = [
  { change_id = "1", source = "s", account_id = "a", action = "change_role", request = '{"roleId": "v"}', previous = '{"roleId": "d"}', state = "applied", applied_at = 2026-02-01T09:00:00Z },
  { change_id = "2", source = "s", account_id = "a", action = "remove_from_groups", request = '{"groups": ["keep"]}', previous = '{"groups": ["keep", "left"]}', state = "applied", applied_at = 2026-02-01T09:00:00Z },
  { change_id = "3", source = "s", account_id = "b", action = "remove_from_groups", request = '{"groups": []}', previous = '{"groups": ["left"]}', state = "applied", applied_at = 2026-02-01T09:00:00Z },
  { change_id = "4", source = "s", account_id = "b", action = "restore_groups", request = '{"groups": ["left"]}', previous = '{"groups": []}', state = "applied", applied_at = 2026-02-02T09:00:00Z },
]
given."graph.roles" = [ { source = "s", role_id = "v", role_display_name = "Viewer" } ]
given."graph.groups" = [ { source = "s", group_id = "left", group_name = "Sales" } ]
given."graph.memberships" = [ { source = "s", account_id = "a", group_id = "left" } ]
given."graph.accounts" = [
  { source = "s", account_id = "a", status = "active", role_id = "v" },
  { source = "s", account_id = "b", status = "active", role_id = "v" },
]
expect = [
  { change_id = "1", target = "Viewer", verdict = "removed_verified" },
  { change_id = "2", target = "Sales", verdict = "still_present" },
  { change_id = "4", target = "Sales", verdict = "still_present" },
]
*/
