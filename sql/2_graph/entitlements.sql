/*
summary = "One existing role or group that accounts can hold."
reads   = ["graph.roles", "graph.groups"]
grain   = ["source", "entitlement_type", "entitlement_id"]

[columns]
source            = "varchar: the source's name in the configuration"
entitlement_type  = "varchar: role or group; for an application that is read from files, what its file calls it"
entitlement_id    = "varchar: id of the role or group"
entitlement_name  = "varchar: its name, as shown to people, else the id"
permission_level  = "varchar: privileged, standard, or unclassified if the role has no rank"
role_rank         = "integer: rank of the role; null for a group or an unclassified role"
is_builtin        = "boolean: every instance has this role or group"

[checks.policy_names_nothing]
level = "warn"
sql = """
select lines.file || '.csv, line ' || lines.line || ': there is no ' || lines.kind || ' ''' || lines.name || '''' as problem
from (
    select 'roles' as file, line, 'role' as kind, role_name as name from policy.roles where not is_default
    union all
    select 'privileged_groups', line, 'group', group_name from policy.privileged_groups where not is_default
    union all
    select 'sod_pairs', line, left_type, left_name from policy.sod_pairs where not is_default
    union all
    select 'sod_pairs', line, right_type, right_name from policy.sod_pairs where not is_default
    union all
    select 'owners', line, entitlement_type, entitlement_name from policy.owners where not is_default
) as lines
anti join (
    select entitlement_type as kind, lower(entitlement_name) as name, source from graph.entitlements
    union
    select 'role', name, source from graph.role_names
    union
    -- roles.csv and privileged_groups.csv name entitlements of files of any type, by name or id.
    select kinds.kind, lower(held.name), held.source
    from (
        select source, entitlement_name as name, is_builtin, entitlement_type from graph.entitlements
        union
        select source, entitlement_id, is_builtin, entitlement_type from graph.entitlements
    ) as held
    cross join (select 'role' as kind union select 'group') as kinds
    where held.entitlement_type not in ('role', 'group')
        or held.entitlement_type = 'role' and kinds.kind = 'role' and held.is_builtin = false
) as existing
    on lines.kind in (existing.kind, existing.source || ':' || existing.kind)
    and lower(lines.name) in (existing.name, existing.source || ':' || existing.name)
order by lines.file, lines.line, lines.name
"""
*/
select
    source,
    'role' as entitlement_type,
    role_id as entitlement_id,
    coalesce(role_display_name, role_id) as entitlement_name,
    case when role_rank is null then 'unclassified' when privileged then 'privileged' else 'standard' end
        as permission_level,
    role_rank,
    is_builtin
from graph.roles
union all
select
    source,
    coalesce(entitlement_type, 'group'),
    group_id,
    coalesce(group_name, group_id),
    case
        when is_listed_privileged or carries_privileged then 'privileged'
        when carries_privileged is null then 'unclassified'
        else 'standard'
    end,
    entitlement_rank,
    is_builtin
from graph.groups

/* example
name = "roles and groups, each with its permission level"
given."graph.roles" = [
  { source = "s", role_id = "1", role_display_name = "Admin", role_rank = 90, privileged = true },
  { source = "s", role_id = "2", role_display_name = "Viewer", role_rank = 10, privileged = false },
  { source = "s", role_id = "3", privileged = true },
]
given."graph.groups" = [
  { source = "s", group_id = "1", group_name = "Ops", is_listed_privileged = false, carries_privileged = true },
  { source = "s", group_id = "2", is_listed_privileged = false, carries_privileged = false },
  { source = "s", group_id = "3", group_name = "Odd", is_listed_privileged = false },
]
expect = [
  { entitlement_type = "role", entitlement_id = "1", entitlement_name = "Admin", permission_level = "privileged" },
  { entitlement_type = "role", entitlement_id = "2", entitlement_name = "Viewer", permission_level = "standard" },
  { entitlement_type = "role", entitlement_id = "3", entitlement_name = "3", permission_level = "unclassified" },
  { entitlement_type = "group", entitlement_id = "1", entitlement_name = "Ops", permission_level = "privileged" },
  { entitlement_type = "group", entitlement_id = "2", entitlement_name = "2", permission_level = "standard" },
  { entitlement_type = "group", entitlement_id = "3", entitlement_name = "Odd", permission_level = "unclassified" },
]
*/
