/*
summary = "One privileged account, whatever its status."
reads   = [
    "reports.population", "graph.sources", "graph.effective_access", "graph.roles", "graph.grants", "graph.entitlements", "history.accounts", "reference.snapshot",
]
grain   = ["source", "account_id"]

[columns]
source            = "varchar: the source's name in the configuration"
account_id        = "varchar: the source's own id"
label             = "varchar: name"
email             = "varchar: e-mail address, else the user name"
role_display_name = "varchar: display name of the role; for an application that is read from files, its privileged entitlements"
role_rank         = "integer: its rank; null while unclassified"
rank_basis        = "varchar: where the rank comes from: name, base role or unclassified; entitlements for an application that is read from files"
granted_via       = "varchar: the group that the role comes from; null if it is the account's own"
privileged_since  = "date: since when the account has been privileged without a break, by day of extract; null if this snapshot is the first"
account_type      = "varchar: break_glass, service, human, shared or unknown"
status            = "varchar: active, inactive, pending or unknown"
department        = "varchar: the person's department"
created_at        = "timestamp: creation"
last_seen_at      = "timestamp: last seen"
days_since_seen   = "bigint: UTC calendar days since that day"
login_state       = "varchar: seen, never or unknown"
finding_count     = "bigint: open findings"
*/
with

earlier_states as (
    select before.source, before.account_id, before.snapshot_id, before.privileged
    from history.accounts as before
    join reference.snapshot as current on before.snapshot_id < current.snapshot_id
    semi join reports.population as account
        on account.source = before.source and account.account_id = before.account_id and account.privileged
),

last_ordinary as (
    select source, account_id, max(snapshot_id) as snapshot_id from earlier_states where not privileged group by source, account_id
),

-- The id of a snapshot begins with its date.
first_privileged as (
    select earlier.source, earlier.account_id, min(earlier.snapshot_id) as snapshot_id
    from earlier_states as earlier
    left join last_ordinary on last_ordinary.source = earlier.source and last_ordinary.account_id = earlier.account_id
    where earlier.privileged and earlier.snapshot_id > coalesce(last_ordinary.snapshot_id, '')
    group by earlier.source, earlier.account_id
),

inherited_roles as (
    select granted.source, granted.account_id, min(coalesce(via.entitlement_name, granted.granted_via_group_id)) as granted_via
    from graph.grants as granted
    left join graph.entitlements as via
        on via.source = granted.source and via.entitlement_type = 'group'
        and via.entitlement_id = granted.granted_via_group_id
    where granted.entitlement_type = 'role' and granted.grant_type = 'inherited'
    group by granted.source, granted.account_id
),

-- Accounts of an application that is read from files have entitlements instead of a role.
privileged_entitlements as (
    select
        access.source, access.account_id,
        array_to_string(list_sort(list(coalesce(access.entitlement_name, access.entitlement_id))), '; ') as names
    from graph.effective_access as access
    join graph.sources as source on source.source = access.source and source.is_from_files
    where access.permission_level = 'privileged'
    group by access.source, access.account_id
)

select
    account.source,
    account.account_id,
    account.display_name as label,
    coalesce(account.email, account.user_name) as email,
    coalesce(
        account.role_display_name, case when account.role_id is not null then 'unknown role' end, privileged_entitlements.names
    ) as role_display_name,
    account.role_rank,
    case when source.is_from_files then 'entitlements' else coalesce(role.rank_basis, 'unclassified') end as rank_basis,
    held.granted_via,
    cast(substr(first_privileged.snapshot_id, 1, 4) || '-' || substr(first_privileged.snapshot_id, 5, 2) || '-' || substr(first_privileged.snapshot_id, 7, 2) as date)
        as privileged_since,
    account.account_type,
    account.status,
    account.department,
    account.created_at,
    account.last_seen_at,
    account.days_since_seen,
    account.login_state,
    account.finding_count
from reports.population as account
left join graph.roles as role on role.source = account.source and role.role_id = account.role_id
left join graph.sources as source on source.source = account.source
left join privileged_entitlements
    on privileged_entitlements.source = account.source and privileged_entitlements.account_id = account.account_id
left join inherited_roles as held on held.source = account.source and held.account_id = account.account_id
left join first_privileged
    on first_privileged.source = account.source and first_privileged.account_id = account.account_id
where account.privileged

/* example
name = "privileged since the first snapshot after the last one in which it was not"
given."reference.snapshot" = [ { snapshot_id = "20260401T000000Z-aaaa" } ]
given."reports.population" = [
  { source = "s", account_id = "old", display_name = "Old", role_rank = 90, privileged = true },
  { source = "s", account_id = "new", display_name = "New", role_rank = 90, privileged = true },
  { source = "s", account_id = "not", display_name = "Not", role_rank = 10, privileged = false },
]
given."history.accounts" = [
  { snapshot_id = "20260101T000000Z-aaaa", source = "s", account_id = "old", privileged = true, status = "active", build_id = "1" },
  { snapshot_id = "20260201T000000Z-aaaa", source = "s", account_id = "old", privileged = false, status = "active", build_id = "2" },
  { snapshot_id = "20260301T000000Z-aaaa", source = "s", account_id = "old", privileged = true, status = "active", build_id = "3" },
  { snapshot_id = "20260401T000000Z-aaaa", source = "s", account_id = "new", privileged = true, status = "active", build_id = "4" },
]
given."graph.grants" = [ { source = "s", account_id = "old", entitlement_type = "role", entitlement_id = "r", grant_type = "inherited", granted_via_group_id = "g" } ]
given."graph.entitlements" = [ { source = "s", entitlement_type = "group", entitlement_id = "g", entitlement_name = "Ops" } ]
expect = [
  { account_id = "old", granted_via = "Ops", privileged_since = 2026-03-01 },
  { account_id = "new", granted_via = "<null>", privileged_since = "<null>" },
]
*/
