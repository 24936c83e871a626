/*
title       = "Privileged through a group"
summary     = "An account without a privileged role in a group that carries one, or that is listed as privileged."
severity    = "medium"
population  = "select source, account_id from graph.accounts where not privileged"
reads       = ["graph.accounts", "graph.memberships", "graph.groups"]
grain       = ["source", "account_id"]
remediation = "Remove the account from the group, or the role from the group."

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.5.18"]
*/
with

privileged_memberships as (
    select
        membership.source, membership.account_id, groups.group_id, coalesce(groups.group_name, groups.group_id) as group_name,
        -- null if the group carries a role that does not exist
        groups.is_listed_privileged or groups.carries_privileged as is_privileged
    from graph.memberships as membership
    join graph.groups as groups on groups.source = membership.source and groups.group_id = membership.group_id
    where groups.is_listed_privileged or groups.carries_privileged is distinct from false
),

verdicts as (
    select
        account.source, account.account_id, coalesce(bool_or(membership.is_privileged), false) as is_privileged,
        array_to_string(list_sort(list(distinct membership.group_name) filter (where membership.is_privileged)), ', ') as group_names,
        count(distinct membership.group_name) filter (where membership.is_privileged) as group_number
    from graph.accounts as account
    left join privileged_memberships as membership
        on membership.source = account.source and membership.account_id = account.account_id
    where not account.privileged
        and (membership.account_id is not null or list_contains(account.unreadable_fields, 'groups'))
    group by account.source, account.account_id
)

select
    source,
    account_id,
    case when is_privileged then 'failed' else 'unknown' end as verdict,
    case when group_number = 1 then 'The group ' || group_names || ' gives' else 'The groups ' || group_names || ' give' end
        || ' this account administrative rights.' as detail,
    group_names as observed_value,
    'no privileged group' as threshold
from verdicts

/* example
name = "a group that carries a privileged role or is listed fails; an ordinary group passes; a missing role is unknown"
given."graph.groups" = [
  { source = "s", group_id = "ops", group_name = "Ops", carries_privileged = true, is_listed_privileged = false },
  { source = "s", group_id = "fire", group_name = "Fire", carries_privileged = false, is_listed_privileged = true },
  { source = "s", group_id = "sales", group_name = "Sales", carries_privileged = false, is_listed_privileged = false },
  { source = "s", group_id = "odd", group_name = "Odd", is_listed_privileged = false },
]
given."graph.accounts" = [
  { source = "s", account_id = "carried", privileged = false }, { source = "s", account_id = "listed", privileged = false },
  { source = "s", account_id = "ordinary", privileged = false }, { source = "s", account_id = "not known", privileged = false },
  { source = "s", account_id = "admin", privileged = true },
]
given."graph.memberships" = [
  { source = "s", account_id = "carried", group_id = "ops" }, { source = "s", account_id = "carried", group_id = "odd" },
  { source = "s", account_id = "carried", group_id = "fire" }, { source = "s", account_id = "listed", group_id = "fire" },
  { source = "s", account_id = "ordinary", group_id = "sales" }, { source = "s", account_id = "not known", group_id = "odd" },
  { source = "s", account_id = "admin", group_id = "ops" },
]
expect = [
  { account_id = "carried", verdict = "failed", observed_value = "Fire, Ops", detail = "The groups Fire, Ops give this account administrative rights." },
  { account_id = "listed", verdict = "failed", observed_value = "Fire", detail = "The group Fire gives this account administrative rights." },
  { account_id = "not known", verdict = "unknown" },
]
population = 4
*/
