/*
title       = "Empty group"
summary     = "A group without members."
severity    = "low"
population  = """
select source, group_id from graph.groups where coalesce(entitlement_type, 'group') = 'group'
"""
reads       = ["graph.accounts", "graph.groups", "graph.sources"]
grain       = ["source", "group_id"]
remediation = "Delete the group so that it is not used by mistake. If it is built in, find out why it is empty."

[controls]
iso27001 = ["A.5.18"]
*/
with

-- An account with unreadable groups may be in any group that does not list its members.
unreadable_accounts as (
    select source, count(*) as account_count
    from graph.accounts
    where list_contains(unreadable_fields, 'groups')
    group by source
),

verdicts as (
    select
        groups.*,
        case
            when groups.has_unreadable_members or (unreadable_accounts.account_count > 0 and not sources.gives_group_members)
                then 'unknown'
            when sources.gives_group_members then 'failed'
            -- Often only the group lists the members of a built-in group.
            when sources.gives_user_groups and not groups.is_builtin then 'failed'
            else 'unknown'
        end as verdict
    from graph.groups as groups
    left join graph.sources as sources on sources.source = groups.source
    left join unreadable_accounts on unreadable_accounts.source = groups.source
    -- A role or permission that nobody holds is ready for use, and no mistake.
    where groups.member_count = 0 and coalesce(groups.entitlement_type, 'group') = 'group'
)

select
    source,
    group_id,
    verdict,
    case when carries_privileged then 'medium' else 'low' end as severity,
    coalesce(group_name, group_id) || ' has no members'
        || case when carries_privileged then ', and carries a privileged role.' else '.' end as detail,
    'no members' as observed_value,
    'at least one' as threshold
from verdicts

/* example
name = "no member fails, one passes; a privileged role makes severity medium; if neither side lists members it is unknown"
given."graph.sources" = [
  { source = "s", gives_user_groups = true, gives_group_members = false },
  { source = "mute", gives_user_groups = false, gives_group_members = false },
]
given."graph.groups" = [
  { source = "s", group_id = "none", is_builtin = false, member_count = 0, carries_privileged = false },
  { source = "s", group_id = "none, privileged", is_builtin = false, member_count = 0, carries_privileged = true },
  { source = "s", group_id = "one", is_builtin = false, member_count = 1, carries_privileged = false },
  { source = "mute", group_id = "g", is_builtin = false, member_count = 0, carries_privileged = false },
]
expect = [
  { source = "s", group_id = "none", verdict = "failed", severity = "low" },
  { source = "s", group_id = "none, privileged", verdict = "failed", severity = "medium" },
  { source = "mute", group_id = "g", verdict = "unknown" },
]
population = 4
*/
/* example
name = "a built-in group is evaluated if groups list their members; otherwise it is unknown"
given."graph.sources" = [
  { source = "lists", gives_user_groups = true, gives_group_members = true },
  { source = "does not", gives_user_groups = true, gives_group_members = false },
]
given."graph.groups" = [
  { source = "lists", group_id = "all", is_builtin = true, member_count = 1, carries_privileged = false },
  { source = "lists", group_id = "built-in", is_builtin = true, member_count = 0, carries_privileged = false },
  { source = "does not", group_id = "built-in", is_builtin = true, member_count = 0, carries_privileged = false },
]
expect = [
  { source = "lists", group_id = "built-in", verdict = "failed" },
  { source = "does not", group_id = "built-in", verdict = "unknown" },
]
population = 3
*/
/* example
name = "in a file, an empty group fails, and a role or permission that nobody holds is not examined"
given."graph.sources" = [ { source = "f", is_from_files = true, gives_user_groups = true, gives_group_members = true } ]
given."graph.groups" = [
  { source = "f", group_id = "group:Old", entitlement_type = "group", member_count = 0, is_builtin = false },
  { source = "f", group_id = "role:Admin", entitlement_type = "role", member_count = 0, is_builtin = false },
]
expect = [ { group_id = "group:Old", verdict = "failed" } ]
population = 1
*/
