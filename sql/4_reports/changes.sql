/*
summary = "One change since the baseline of an account, a membership, a role or a group."
reads   = [
    "graph.accounts", "graph.roles", "graph.groups", "graph.grants", "baseline.snapshot",
    "baseline.accounts", "baseline.roles", "baseline.groups", "baseline.grants",
]
grain   = ["object_kind", "change", "source", "key", "field"]

[columns]
object_kind          = "varchar: account, membership, role or group"
change               = "varchar: joiner, leaver, activated, deactivated, reactivated, status_changed, role_changed, new_privileged, privilege_lost, added, removed or changed"
source               = "varchar: the source's name in the configuration"
key                  = "varchar: id of the object; for a membership account and group, joined by a colon"
label                = "varchar: display name"
field                = "varchar: the field that changed"
old_value            = "varchar: the value in the baseline"
new_value            = "varchar: the value now"
privileged_effect    = "varchar: gained, lost, raised, lowered or none"
baseline_snapshot_id = "varchar: the baseline"
snapshot_id          = "varchar: the snapshot"
*/
with

accounts_now as (
    select
        account.*, coalesce(role.role_display_name, account.role_id) as role_name
    from graph.accounts as account
    left join graph.roles as role on role.source = account.source and role.role_id = account.role_id
),

accounts_before as (
    select
        account.*, coalesce(role.role_display_name, account.role_id) as role_name
    from baseline.accounts as account
    left join baseline.roles as role on role.source = account.source and role.role_id = account.role_id
),

pairs as (
    select
        now.source, now.account_id, now.display_name as label,
        before.status as old_status, now.status as new_status,
        before.role_id as old_role_id, now.role_id as new_role_id,
        before.role_name as old_role, now.role_name as new_role,
        before.role_rank as old_rank, now.role_rank as new_rank,
        before.privileged as was_privileged, now.privileged as is_privileged,
        before.user_name as old_user_name, now.user_name as new_user_name,
        before.email as old_email, now.email as new_email,
        before.display_name as old_name, now.display_name as new_name,
        before.person_id as old_person, now.person_id as new_person,
        -- A field that is unreadable on either side shows no change.
        list_concat(coalesce(now.unreadable_fields, []), coalesce(before.unreadable_fields, [])) as unreadable_fields
    from accounts_now as now
    join accounts_before as before on before.source = now.source and before.account_id = now.account_id
),

account_changes as (
    select
        'joiner' as change, now.source, now.account_id as key, now.display_name as label, 'account' as field,
        cast(null as varchar) as old_value, concat_ws(', ', now.status, now.role_name) as new_value,
        case when now.privileged then 'gained' else 'none' end as privileged_effect
    from accounts_now as now
    anti join accounts_before as before on before.source = now.source and before.account_id = now.account_id
    union all
    select
        'leaver', before.source, before.account_id, before.display_name, 'account',
        concat_ws(', ', before.status, before.role_name), null,
        case when before.privileged then 'lost' else 'none' end
    from accounts_before as before
    anti join accounts_now as now on now.source = before.source and now.account_id = before.account_id
    union all
    select
        case
            when old_status = 'inactive' and new_status = 'active' then 'reactivated'
            when old_status = 'pending' and new_status = 'active' then 'activated'
            when old_status = 'active' and new_status = 'inactive' then 'deactivated'
            else 'status_changed'
        end,
        source, account_id, label, 'status', old_status, new_status,
        case
            when is_privileged and new_status = 'active' then 'gained'
            when was_privileged and old_status = 'active' then 'lost'
            else 'none'
        end
    from pairs
    where old_status <> new_status
    union all
    select
        'role_changed', source, account_id, label, 'role', old_role, new_role,
        case
            when is_privileged and not was_privileged then 'gained'
            when was_privileged and not is_privileged then 'lost'
            when new_rank > old_rank then 'raised'
            when new_rank < old_rank then 'lowered'
            else 'none'
        end
    from pairs
    where old_role_id is distinct from new_role_id and not list_contains(unreadable_fields, 'roleId')
    union all
    select
        case when is_privileged then 'new_privileged' else 'privilege_lost' end, source, account_id, label,
        'privileged', cast(was_privileged as varchar), cast(is_privileged as varchar),
        case when is_privileged then 'gained' else 'lost' end
    from pairs
    where was_privileged <> is_privileged and not list_contains(unreadable_fields, 'roleId')
    union all
    select 'new_privileged', now.source, now.account_id, now.display_name, 'privileged', null, 'true', 'gained'
    from accounts_now as now
    anti join accounts_before as before on before.source = now.source and before.account_id = now.account_id
    where now.privileged
    union all
    select 'changed', source, account_id, label, 'user_name', old_user_name, new_user_name, 'none'
    from pairs
    where old_user_name is distinct from new_user_name and not list_contains(unreadable_fields, 'userName')
    union all
    select 'changed', source, account_id, label, 'email', old_email, new_email, 'none'
    from pairs
    where old_email is distinct from new_email and not list_contains(unreadable_fields, 'email')
    union all
    select 'changed', source, account_id, label, 'display_name', old_name, new_name, 'none'
    from pairs
    where old_name <> new_name
        and not (list_contains(unreadable_fields, 'firstName') or list_contains(unreadable_fields, 'lastName'))
    union all
    select 'changed', source, account_id, label, 'person_id', old_person, new_person, 'none'
    from pairs
    where old_person is distinct from new_person
        and not (list_contains(unreadable_fields, 'email') or list_contains(unreadable_fields, 'userName'))
),

-- Names of groups and whether they are privileged, now and in the baseline.
groups_now as (
    select
        source, group_id, coalesce(group_name, group_id) as group_name,
        is_listed_privileged or coalesce(carries_privileged, false) as is_privileged
    from graph.groups
),

groups_before as (
    select
        source, group_id, coalesce(group_name, group_id) as group_name,
        is_listed_privileged or coalesce(carries_privileged, false) as is_privileged
    from baseline.groups
),

membership_changes as (
    select
        'added' as change, now.source, now.account_id || ':' || now.entitlement_id as key,
        account.display_name || ' > ' || now.entitlement_type || ' ' || coalesce(held.group_name, now.entitlement_id) as label,
        now.entitlement_type as field, cast(null as varchar) as old_value, coalesce(held.group_name, now.entitlement_id) as new_value,
        case when held.is_privileged then 'gained' else 'none' end as privileged_effect
    from graph.grants as now
    join graph.accounts as account on account.source = now.source and account.account_id = now.account_id
    left join groups_now as held on held.source = now.source and held.group_id = now.entitlement_id
    anti join baseline.grants as before
        on before.source = now.source and before.account_id = now.account_id
        and before.entitlement_type = now.entitlement_type and before.entitlement_id = now.entitlement_id
    left join baseline.accounts as earlier on earlier.source = now.source and earlier.account_id = now.account_id
    where (now.entitlement_type <> 'role' or account.role_id is distinct from now.entitlement_id)
        and not coalesce(list_contains(earlier.unreadable_fields, 'groups'), false)
    union all
    select
        'removed', before.source, before.account_id || ':' || before.entitlement_id,
        coalesce(account.display_name, before.account_id) || ' > ' || before.entitlement_type || ' '
            || coalesce(held.group_name, before.entitlement_id),
        before.entitlement_type, coalesce(held.group_name, before.entitlement_id), null,
        case when held.is_privileged then 'lost' else 'none' end
    from baseline.grants as before
    left join baseline.accounts as account on account.source = before.source and account.account_id = before.account_id
    left join groups_before as held on held.source = before.source and held.group_id = before.entitlement_id
    left join graph.accounts as later on later.source = before.source and later.account_id = before.account_id
    anti join graph.grants as now
        on now.source = before.source and now.account_id = before.account_id
        and now.entitlement_type = before.entitlement_type and now.entitlement_id = before.entitlement_id
    where (before.entitlement_type <> 'role' or account.role_id is distinct from before.entitlement_id)
        and not coalesce(list_contains(later.unreadable_fields, 'groups'), false)
),

role_pairs as (
    select
        coalesce(now.source, before.source) as source, coalesce(now.role_id, before.role_id) as role_id,
        coalesce(now.role_display_name, before.role_display_name, now.role_id, before.role_id) as label,
        before.role_id is not null as existed, now.role_id is not null as exists_now,
        before.role_display_name as old_name, now.role_display_name as new_name,
        before.role_rank as old_rank, now.role_rank as new_rank,
        coalesce(before.privileged, false) as was_privileged, coalesce(now.privileged, false) as is_privileged
    from graph.roles as now
    full outer join baseline.roles as before on before.source = now.source and before.role_id = now.role_id
),

role_changes as (
    select
        case when exists_now then 'added' else 'removed' end as change, source, role_id as key, label, 'role' as field,
        old_name as old_value, new_name as new_value,
        case when is_privileged then 'gained' when was_privileged then 'lost' else 'none' end as privileged_effect
    from role_pairs
    where existed <> exists_now
    union all
    select 'changed', source, role_id, label, 'name', old_name, new_name, 'none'
    from role_pairs
    where existed and exists_now and old_name is distinct from new_name
    union all
    select
        'changed', source, role_id, label, 'rank', cast(old_rank as varchar), cast(new_rank as varchar),
        case when new_rank > old_rank then 'raised' when new_rank < old_rank then 'lowered' else 'none' end
    from role_pairs
    where existed and exists_now and old_rank is distinct from new_rank
    union all
    select
        'changed', source, role_id, label, 'privileged', cast(was_privileged as varchar),
        cast(is_privileged as varchar), case when is_privileged then 'gained' else 'lost' end
    from role_pairs
    where existed and exists_now and was_privileged <> is_privileged
),

group_pairs as (
    select
        coalesce(now.source, before.source) as source, coalesce(now.group_id, before.group_id) as group_id,
        coalesce(now.group_name, before.group_name, now.group_id, before.group_id) as label,
        before.group_id is not null as existed, now.group_id is not null as exists_now,
        before.group_name as old_name, now.group_name as new_name, before.role_id as old_role, now.role_id as new_role,
        coalesce(before.is_listed_privileged or before.carries_privileged, false) as was_privileged,
        coalesce(now.is_listed_privileged or now.carries_privileged, false) as is_privileged
    from graph.groups as now
    full outer join baseline.groups as before on before.source = now.source and before.group_id = now.group_id
),

group_changes as (
    select
        case when exists_now then 'added' else 'removed' end as change, source, group_id as key, label, 'group' as field,
        old_name as old_value, new_name as new_value,
        case when is_privileged then 'gained' when was_privileged then 'lost' else 'none' end as privileged_effect
    from group_pairs
    where existed <> exists_now
    union all
    select 'changed', source, group_id, label, 'name', old_name, new_name, 'none'
    from group_pairs
    where existed and exists_now and old_name is distinct from new_name
    union all
    select
        'changed', source, group_id, label, 'carried_role', old_role, new_role,
        case when is_privileged and not was_privileged then 'gained' when was_privileged and not is_privileged then 'lost'
            else 'none' end
    from group_pairs
    where existed and exists_now and old_role is distinct from new_role
),

changes as (
    select 'account' as object_kind, * from account_changes
    union all
    select 'membership', * from membership_changes
    union all
    select 'role', * from role_changes
    union all
    select 'group', * from group_changes
)

select
    changes.object_kind,
    changes.change,
    changes.source,
    changes.key,
    changes.label,
    changes.field,
    changes.old_value,
    changes.new_value,
    changes.privileged_effect,
    base.snapshot_id as baseline_snapshot_id,
    $snapshot_id as snapshot_id
from changes
-- without a baseline nothing has changed
join baseline.snapshot as base on true

/* example
name = "who came, went and changed, each with its effect on privilege"
given."baseline.snapshot" = [ { snapshot_id = "b", build_id = "b", as_of = 2025-12-01T00:00:00Z, finished_at = 2025-12-01T00:00:00Z } ]
given."baseline.roles" = [
  { source = "s", role_id = "v", role_display_name = "Viewer", role_rank = 10, privileged = false },
  { source = "s", role_id = "a", role_display_name = "Admin", role_rank = 90, privileged = true },
]
given."graph.roles" = [
  { source = "s", role_id = "v", role_display_name = "Viewer", role_rank = 10, privileged = false },
  { source = "s", role_id = "a", role_display_name = "Admin", role_rank = 90, privileged = true },
]
given."graph.groups" = [ { source = "s", group_id = "ops", group_name = "Ops", carries_privileged = true, is_listed_privileged = false } ]
given."baseline.groups" = [ { source = "s", group_id = "ops", group_name = "Ops", carries_privileged = true, is_listed_privileged = false } ]
given."graph.entitlements" = [ { source = "s", entitlement_type = "group", entitlement_id = "ops", entitlement_name = "Ops", permission_level = "privileged" } ]
given."baseline.accounts" = [
  { source = "s", account_id = "up", display_name = "Up", status = "active", role_id = "v", role_rank = 10, privileged = false },
  { source = "s", account_id = "back", display_name = "Back", status = "inactive", role_id = "v", role_rank = 10, privileged = false },
  { source = "s", account_id = "gone", display_name = "Gone", status = "active", role_id = "a", role_rank = 90, privileged = true },
  { source = "s", account_id = "same", display_name = "Same", status = "active", role_id = "v", role_rank = 10, privileged = false },
]
given."graph.accounts" = [
  { source = "s", account_id = "up", display_name = "Up", status = "active", role_id = "a", role_rank = 90, privileged = true },
  { source = "s", account_id = "back", display_name = "Back", status = "active", role_id = "v", role_rank = 10, privileged = false },
  { source = "s", account_id = "came", display_name = "Came", status = "active", role_id = "v", role_rank = 10, privileged = false },
  { source = "s", account_id = "same", display_name = "Same", status = "active", role_id = "v", role_rank = 10, privileged = false },
]
given."graph.grants" = [ { source = "s", account_id = "same", entitlement_type = "group", entitlement_id = "ops", grant_type = "direct" } ]
given."baseline.grants" = [ { source = "s", account_id = "gone", entitlement_type = "group", entitlement_id = "ops", grant_type = "direct" } ]
expect = [
  { object_kind = "account", change = "role_changed", key = "up", field = "role", old_value = "Viewer", new_value = "Admin", privileged_effect = "gained" },
  { object_kind = "account", change = "new_privileged", key = "up", field = "privileged", old_value = "false", new_value = "true", privileged_effect = "gained" },
  { object_kind = "account", change = "reactivated", key = "back", field = "status", old_value = "inactive", new_value = "active", privileged_effect = "none" },
  { object_kind = "account", change = "leaver", key = "gone", field = "account", old_value = "active, Admin", new_value = "<null>", privileged_effect = "lost" },
  { object_kind = "account", change = "joiner", key = "came", field = "account", old_value = "<null>", new_value = "active, Viewer", privileged_effect = "none" },
  { object_kind = "membership", change = "added", key = "same:ops", field = "group", old_value = "<null>", new_value = "Ops", privileged_effect = "gained" },
  { object_kind = "membership", change = "removed", key = "gone:ops", field = "group", old_value = "Ops", new_value = "<null>", privileged_effect = "lost" },
]
*/
/* example
name = "without a baseline nothing has changed"
given."graph.accounts" = [ { source = "s", account_id = "a", display_name = "A", status = "active", privileged = true } ]
expect = []
*/
