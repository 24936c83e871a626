/*
title       = "Reference to a missing role or group"
summary     = "An account that refers to a role or group that does not exist."
severity    = "medium"
population  = """
select source, account_id, entitlement_type as reference_type, entitlement_id as reference_id from graph.effective_access
"""
reads       = ["graph.effective_access", "graph.accounts", "graph.memberships", "graph.roles", "graph.groups", "graph.sources"]
grain       = ["source", "account_id", "reference_type", "reference_id"]
remediation = "Remove the reference. If the id is assigned again, the account gains access without approval."

[controls]
soc2 = ["CC6.2"]
*/
with

account_references as (
    select
        account.source, account.account_id, 'role' as reference_type, account.role_id as reference_id,
        role.role_id is not null as is_found, source.role_count > 0 as is_list_known
    from graph.accounts as account
    join graph.sources as source on source.source = account.source
    left join graph.roles as role on role.source = account.source and role.role_id = account.role_id
    where account.role_id is not null
    union all
    select
        account.source, account.account_id,
        case when membership.seen_in = 'file' then coalesce(found.entitlement_type, 'entitlement') else 'group' end,
        membership.group_id,
        found.group_id is not null, source.group_count > 0
    from graph.memberships as membership
    join graph.accounts as account
        on account.source = membership.source and account.account_id = membership.account_id
    join graph.sources as source on source.source = account.source
    left join graph.groups as found on found.source = membership.source and found.group_id = membership.group_id
)

select
    source,
    account_id,
    reference_type,
    reference_id,
    case when is_list_known then 'failed' else 'unknown' end as verdict,
    'No ' || reference_type || ' has the id ' || reference_id || '.' as detail,
    reference_id as observed_value,
    'an existing ' || reference_type as threshold
from account_references
where not is_found

/* example
name = "each dangling reference is one finding; if the lists of roles or groups were not read, it is unknown"
given."graph.sources" = [ { source = "s", role_count = 1, group_count = 1 }, { source = "mute", role_count = 0, group_count = 0 } ]
given."graph.roles" = [ { source = "s", role_id = "viewer" } ]
given."graph.groups" = [ { source = "s", group_id = "sales" } ]
given."graph.memberships" = [
  { source = "s", account_id = "a", group_id = "gone" }, { source = "s", account_id = "a", group_id = "sales" },
  { source = "s", account_id = "not an account", group_id = "gone" },
]
given."graph.accounts" = [
  { source = "s", account_id = "a", role_id = "lost" },
  { source = "s", account_id = "b", role_id = "viewer" },
  { source = "s", account_id = "c" },
  { source = "mute", account_id = "d", role_id = "viewer" },
]
given."graph.effective_access" = [
  { source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "lost" },
  { source = "s", account_id = "b", entitlement_type = "role", entitlement_id = "viewer" },
  { source = "mute", account_id = "d", entitlement_type = "role", entitlement_id = "viewer" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "gone" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "sales" },
]
expect = [
  { account_id = "a", reference_type = "role", reference_id = "lost", verdict = "failed" },
  { account_id = "a", reference_type = "group", reference_id = "gone", verdict = "failed" },
  { account_id = "d", reference_type = "role", reference_id = "viewer", verdict = "unknown" },
]
population = 5
*/
/* example
name = "an entitlement that a file grants and does not list fails"
given."graph.sources" = [ { source = "f", role_count = 0, group_count = 1, is_from_files = true } ]
given."graph.accounts" = [ { source = "f", account_id = "1" } ]
given."graph.groups" = [ { source = "f", group_id = "r", entitlement_type = "role" } ]
given."graph.memberships" = [
  { source = "f", account_id = "1", group_id = "r", seen_in = "file" },
  { source = "f", account_id = "1", group_id = "gone", seen_in = "file" },
]
given."graph.effective_access" = [
  { source = "f", account_id = "1", entitlement_type = "role", entitlement_id = "r" },
  { source = "f", account_id = "1", entitlement_type = "entitlement", entitlement_id = "gone" },
]
expect = [ { account_id = "1", reference_type = "entitlement", reference_id = "gone", verdict = "failed" } ]
population = 2
*/
