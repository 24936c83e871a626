/*
title       = "Inconsistent group membership"
summary     = "A membership that only the account or only the group lists, in a group that is not built in."
severity    = "low"
population  = """
select access.source, access.account_id, access.entitlement_id as group_id
from graph.effective_access as access
left join graph.sources as source on source.source = access.source
where source.is_from_files is distinct from true and access.entitlement_type = 'group' and not access.is_builtin
"""
reads       = ["graph.effective_access", "graph.memberships", "graph.accounts", "graph.groups", "graph.sources"]
grain       = ["source", "account_id", "group_id"]
remediation = "Set the membership again in the source, so that both sides agree."

[controls]
soc2 = ["CC6.2"]
*/
select
    membership.source,
    membership.account_id,
    membership.group_id,
    case
        when membership.seen_in = 'group' and list_contains(account.unreadable_fields, 'groups') then 'unknown'
        when membership.seen_in = 'user' and groups.has_unreadable_members then 'unknown'
        when sources.gives_user_groups and sources.gives_group_members then 'failed'
        else 'unknown'
    end as verdict,
    case membership.seen_in when 'user' then 'Only the account lists the group ' else 'Only the group lists the account: ' end
        || coalesce(groups.group_name, groups.group_id) || '.' as detail,
    case membership.seen_in when 'user' then 'only the account' else 'only the group' end as observed_value,
    'both' as threshold,
    cast({'group_id': membership.group_id} as json) as evidence
from graph.memberships as membership
join graph.groups as groups on groups.source = membership.source and groups.group_id = membership.group_id
join graph.sources as sources on sources.source = membership.source
join graph.accounts as account
    on account.source = membership.source and account.account_id = membership.account_id
where membership.seen_in in ('user', 'group') and not groups.is_builtin

/* example
name = "listed on one side fails, on both passes; built-in and missing groups are not in the population; a source with one side only is unknown"
given."graph.sources" = [
  { source = "s", gives_user_groups = true, gives_group_members = true },
  { source = "half", gives_user_groups = true, gives_group_members = false },
]
given."graph.groups" = [
  { source = "s", group_id = "g", is_builtin = false }, { source = "s", group_id = "all", is_builtin = true },
  { source = "half", group_id = "g", is_builtin = false },
]
given."graph.accounts" = [
  { source = "s", account_id = "1" }, { source = "s", account_id = "2" }, { source = "s", account_id = "3" }, { source = "half", account_id = "1" },
]
given."graph.memberships" = [
  { source = "s", account_id = "1", group_id = "g", seen_in = "user" }, { source = "s", account_id = "2", group_id = "g", seen_in = "group" },
  { source = "s", account_id = "3", group_id = "g", seen_in = "both" }, { source = "s", account_id = "1", group_id = "all", seen_in = "group" },
  { source = "s", account_id = "1", group_id = "gone", seen_in = "user" }, { source = "s", account_id = "nobody", group_id = "g", seen_in = "group" },
  { source = "half", account_id = "1", group_id = "g", seen_in = "user" },
]
given."graph.effective_access" = [
  { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "g", is_builtin = false },
  { source = "s", account_id = "2", entitlement_type = "group", entitlement_id = "g", is_builtin = false },
  { source = "s", account_id = "3", entitlement_type = "group", entitlement_id = "g", is_builtin = false },
  { source = "half", account_id = "1", entitlement_type = "group", entitlement_id = "g", is_builtin = false },
  { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "all", is_builtin = true },
  { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "gone" },
]
expect = [
  { source = "s", account_id = "1", verdict = "failed" }, { source = "s", account_id = "2", verdict = "failed" },
  { source = "half", account_id = "1", verdict = "unknown" },
]
population = 4
*/
