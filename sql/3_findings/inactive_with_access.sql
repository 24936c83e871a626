/*
title       = "Inactive account with access"
summary     = "An account that has been inactive for longer than the limit and still has a role above Viewer, or groups other than the built-in ones for all users; in an application that is read from files, any entitlement."
severity    = "low"
population  = "select source, account_id from graph.accounts where status in ('inactive', 'unknown')"
reads       = ["graph.accounts", "graph.memberships", "graph.groups", "graph.roles", "graph.sources"]
grain       = ["source", "account_id"]
remediation = "Remove the groups and assign the lowest role, so that reactivating the account grants nothing by accident."

[params]
inactive_for_days = 30

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.5.18"]
nist     = ["AC-2"]

[effects]
recommendation = "remove"
on             = "account"
reason         = "The account is inactive but still holds access."
*/
with

group_counts as (
    select membership.source, membership.account_id, count(*) as group_count
    from graph.memberships as membership
    left join graph.groups as held on held.source = membership.source and held.group_id = membership.group_id
    where held.is_everyone is distinct from true
    group by membership.source, membership.account_id
),

-- The policy may give Viewer another rank than the default, 10.
viewers as (
    select source, max(role_rank) as role_rank
    from graph.roles
    where is_builtin and lower(role_display_name) = 'viewer'
    group by source
),

accounts as (
    select
        account.source, account.account_id, account.status, account.privileged,
        coalesce(account.last_updated_at, account.last_seen_at) as inactive_since,
        coalesce(group_counts.group_count, 0) as group_count,
        -- A role without a rank counts as above Viewer. The accounts of a file have entitlements only.
        coalesce(source.is_from_files, false) as is_from_files,
        not is_from_files and (account.role_rank is null or account.role_rank > coalesce(viewers.role_rank, 10)) as is_above_viewer,
        coalesce(list_contains(account.unreadable_fields, 'groups'), false) as has_unreadable_groups
    from graph.accounts as account
    left join graph.sources as source on source.source = account.source
    left join viewers on viewers.source = account.source
    left join group_counts on group_counts.source = account.source and group_counts.account_id = account.account_id
    where account.status in ('inactive', 'unknown')
),

verdicts as (
    select
        *,
        case
            when status = 'unknown' then 'unknown'
            when group_count = 0 and not is_above_viewer
                then case when has_unreadable_groups then 'unknown' end
            when inactive_since is null then 'unknown'
            when inactive_since < $as_of - interval ($inactive_for_days) day then 'failed'
        end as verdict
    from accounts
)

select
    source,
    account_id,
    verdict,
    case when privileged then 'medium' else 'low' end as severity,
    case when is_from_files
        then 'Last used ' || strftime(inactive_since, '%-d %b %Y') || ', with ' || counted(group_count, 'entitlement') || '.'
        else 'Unchanged since ' || strftime(inactive_since, '%-d %b %Y') || ', with '
        || case when is_above_viewer then 'a role above Viewer' else 'the lowest role' end
        || case when group_count > 0 then ' and ' || counted(group_count, 'group') else '' end || '.' end as detail,
    counted(date_diff('day', cast(inactive_since as date), cast($as_of as date)), 'day')
        as observed_value,
    counted($inactive_for_days, 'day') as threshold
from verdicts
where verdict is not null

/* example
name = "roles above Viewer and groups are access, groups for all users are not; at the limit an account passes"
as_of = 2026-04-01T00:00:00Z
given."graph.groups" = [
  { source = "s", group_id = "everyone", is_everyone = true }, { source = "s", group_id = "sales", is_everyone = false },
]
given."graph.roles" = [ { source = "t", role_id = "v", role_display_name = "Viewer", role_rank = 15, is_builtin = true } ]
given."graph.memberships" = [
  { source = "s", account_id = "group", group_id = "sales" },
  { source = "s", account_id = "everyone only", group_id = "everyone" },
  { source = "s", account_id = "dangling", group_id = "gone" },
]
given."graph.accounts" = [
  { source = "s", account_id = "group", status = "inactive", privileged = false, role_rank = 10, last_updated_at = 2026-03-01T23:59:59Z },
  { source = "s", account_id = "role", status = "inactive", privileged = true, role_rank = 90, last_updated_at = 2026-03-01T23:59:59Z },
  { source = "s", account_id = "at the limit", status = "inactive", privileged = false, role_rank = 30, last_updated_at = 2026-03-02T00:00:00Z },
  { source = "s", account_id = "everyone only", status = "inactive", privileged = false, role_rank = 10, last_updated_at = 2020-01-01T00:00:00Z },
  { source = "s", account_id = "dangling", status = "inactive", privileged = false, role_rank = 10, last_seen_at = 2020-01-01T00:00:00Z },
  { source = "t", account_id = "viewer of rank 15", status = "inactive", privileged = false, role_rank = 15, last_updated_at = 2020-01-01T00:00:00Z },
  { source = "t", account_id = "above it", status = "inactive", privileged = false, role_rank = 16, last_updated_at = 2020-01-01T00:00:00Z },
  { source = "s", account_id = "no date", status = "inactive", privileged = false, role_rank = 30 },
  { source = "s", account_id = "no date, no access", status = "inactive", privileged = false, role_rank = 10 },
  { source = "s", account_id = "unclassified", status = "inactive", privileged = true, last_updated_at = 2020-01-01T00:00:00Z },
  { source = "s", account_id = "status unknown", status = "unknown", privileged = false, role_rank = 30, last_updated_at = 2020-01-01T00:00:00Z },
  { source = "s", account_id = "active", status = "active", privileged = true, role_rank = 90, last_updated_at = 2020-01-01T00:00:00Z },
]
expect = [
  { account_id = "group", verdict = "failed", severity = "low" },
  { account_id = "role", verdict = "failed", severity = "medium" },
  { account_id = "dangling", verdict = "failed", severity = "low" },
  { account_id = "above it", verdict = "failed", severity = "low" },
  { account_id = "no date", verdict = "unknown" },
  { account_id = "unclassified", verdict = "failed", severity = "medium" },
  { account_id = "status unknown", verdict = "unknown" },
]
population = 11
*/
/* example
name = "an inactive account of a file fails with an entitlement, and passes without one"
as_of = 2026-04-01T00:00:00Z
given."graph.sources" = [ { source = "f", is_from_files = true } ]
given."graph.accounts" = [
  { source = "f", account_id = "holds", status = "inactive", last_seen_at = 2026-01-01T00:00:00Z },
  { source = "f", account_id = "bare", status = "inactive", last_seen_at = 2026-01-01T00:00:00Z },
  { source = "f", account_id = "never", status = "inactive" },
]
given."graph.memberships" = [
  { source = "f", account_id = "holds", group_id = "r" }, { source = "f", account_id = "never", group_id = "r" },
]
given."graph.groups" = [ { source = "f", group_id = "r", is_everyone = false } ]
expect = [
  { account_id = "holds", verdict = "failed", detail = "Last used 1 Jan 2026, with 1 entitlement." },
  { account_id = "never", verdict = "unknown", detail = "<null>" },
]
population = 3
*/
