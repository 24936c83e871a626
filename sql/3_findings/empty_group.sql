/*
title       = "Group without members"
summary     = "A group that nobody is in."
severity    = "low"
population  = "select source, group_id from graph.groups where not is_builtin"
reads       = ["graph.groups", "graph.memberships"]
grain       = ["source", "group_id"]
remediation = "Delete the group, so that nobody is put into it by mistake."

[controls]
iso27001 = ["A.5.18"]
*/
with

-- A source that shows no membership at all did not give them.
told as (
    select distinct source from graph.memberships
)

select
    held.source,
    held.group_id,
    case when told.source is null then 'unknown' else 'failed' end as verdict,
    case when held.carries_privileged then 'medium' else 'low' end as severity,
    coalesce(held.group_name, held.group_id) || ' has no members'
        || case when held.carries_privileged then ', and carries a privileged role.' else '.' end as detail,
    'no members' as observed_value,
    'at least one' as threshold
from graph.groups as held
left join told on told.source = held.source
where not held.is_builtin and held.member_count = 0

/* example
name = "no member fails, one passes, a privileged role makes it medium; without any membership it is unknown"
given."graph.memberships" = [ { source = "s", account_id = "a", group_id = "one" } ]
given."graph.groups" = [
  { source = "s", group_id = "none", is_builtin = false, member_count = 0, carries_privileged = false },
  { source = "s", group_id = "none, privileged", is_builtin = false, member_count = 0, carries_privileged = true },
  { source = "s", group_id = "one", is_builtin = false, member_count = 1, carries_privileged = false },
  { source = "s", group_id = "built-in", is_builtin = true, member_count = 0, carries_privileged = false },
  { source = "mute", group_id = "g", is_builtin = false, member_count = 0, carries_privileged = false },
]
expect = [
  { source = "s", group_id = "none", verdict = "failed", severity = "low" },
  { source = "s", group_id = "none, privileged", verdict = "failed", severity = "medium" },
  { source = "mute", group_id = "g", verdict = "unknown" },
]
population = 4
*/
