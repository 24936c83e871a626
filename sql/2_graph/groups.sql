/*
summary = "One group, with its members counted and the role it carries; or one entitlement of an application that is read from files."
reads   = [
    "staging.groups", "staging.file_entitlements", "graph.memberships", "graph.roles", "graph.role_names",
    "reference.builtin_groups", "reference.permission_types", "policy.privileged_groups", "policy.roles",
]
grain   = ["source", "group_id"]

[columns]
source               = "varchar: the source's name in the configuration"
group_id             = "varchar: the group's id in the source"
group_name           = "varchar: the name; two groups may share one"
origin               = "varchar: directory, local or unknown"
role_id              = "varchar: id of the role that the group gives to imported accounts"
is_builtin           = "boolean: every instance has this group"
is_everyone          = "boolean: a built-in group that holds all accounts"
member_count         = "bigint: accounts that the user records or the group's record list as members"
has_unreadable_members = "boolean: the group's record lists members that cannot be read"
carries_privileged   = "boolean: the role that the group carries, or the entitlement itself, is privileged; null if that is not known"
is_listed_privileged = "boolean: privileged_groups.csv lists the group"
entitlement_type     = "varchar: group, or what the file of an application calls it: role, group, permission, ..."
entitlement_rank     = "integer: rank that roles.csv gives an entitlement of a file; null for a group"
description          = "varchar: what an entitlement of a file allows, in the words of the file"
*/
with

member_counts as (
    select source, group_id, count(*) as member_count from graph.memberships group by source, group_id
),

-- Some servers send the name of the role instead of its id.
roles_by_name as (
    select source, name, min(role_id) as role_id from graph.role_names group by source, name
),

privileged_names as (
    select distinct lower(group_name) as name, is_default from policy.privileged_groups
),

-- The defaults of the program name roles and groups of Sisense. In another application the same name means something
-- else, so only lines of the policy itself rank its entitlements; those for that source take precedence.
entitlement_ranks as (
    select entitlement.source, entitlement.entitlement_id, policy.rank, policy.privileged
    from staging.file_entitlements as entitlement
    join policy.roles as policy
        on not policy.is_default
        and lower(policy.role_name) in (lower(entitlement.entitlement_name), lower(entitlement.entitlement_id))
        and coalesce(policy.source, entitlement.source) = entitlement.source
    qualify row_number() over (
        partition by entitlement.source, entitlement.entitlement_id order by policy.source is null, policy.line
    ) = 1
),

-- One type that is privileged decides; otherwise all must be known.
permission_type_ranks as (
    select
        listed.source, listed.entitlement_id,
        case
            when bool_or(known.privileged) then true
            when bool_and(known.permission_type is not null) then false
        end as privileged
    from (
        select source, entitlement_id, unnest(permission_types) as permission_type from staging.file_entitlements
    ) as listed
    left join reference.permission_types as known on lower(known.permission_type) = listed.permission_type
    group by listed.source, listed.entitlement_id
),

carried_roles as (
    select g.source, g.group_id, coalesce(by_id.role_id, by_name.role_id) as role_id
    from staging.groups as g
    left join graph.roles as by_id on by_id.source = g.source and by_id.role_id = g.role_id
    left join roles_by_name as by_name on by_name.source = g.source and by_name.name = lower(g.role_id)
)

select
    g.source,
    g.group_id,
    g.group_name,
    case g.is_directory when true then 'directory' when false then 'local' else 'unknown' end as origin,
    coalesce(carried.role_id, g.role_id) as role_id,
    builtin.group_name is not null as is_builtin,
    coalesce(builtin.is_everyone, false) as is_everyone,
    coalesce(members.member_count, 0) as member_count,
    coalesce(list_contains(g.unreadable_fields, 'users'), false) as has_unreadable_members,
    -- null, not false, if the name or role cannot be read: the group may carry any role
    case
        when g.role_id is not null then role.privileged
        when coalesce(array_length(g.unreadable_fields), 0) = 0 or g.unreadable_fields = ['users'] then false
    end as carries_privileged,
    listed.name is not null as is_listed_privileged,
    'group' as entitlement_type,
    cast(null as integer) as entitlement_rank,
    cast(null as varchar) as description
from staging.groups as g
left join reference.builtin_groups as builtin on lower(builtin.group_name) = lower(g.group_name)
left join member_counts as members on members.source = g.source and members.group_id = g.group_id
join carried_roles as carried on carried.source = g.source and carried.group_id = g.group_id
left join graph.roles as role on role.source = carried.source and role.role_id = carried.role_id
left join (select distinct name from privileged_names) as listed on listed.name = lower(g.group_name)
union all
select
    entitlement.source,
    entitlement.entitlement_id,
    entitlement.entitlement_name,
    'unknown',
    null,
    false,
    false,
    coalesce(members.member_count, 0),
    false,
    coalesce(ranked.privileged, entitlement.is_privileged, by_type.privileged),
    listed.name is not null,
    entitlement.entitlement_type,
    ranked.rank,
    entitlement.description
from staging.file_entitlements as entitlement
left join member_counts as members
    on members.source = entitlement.source and members.group_id = entitlement.entitlement_id
left join entitlement_ranks as ranked
    on ranked.source = entitlement.source and ranked.entitlement_id = entitlement.entitlement_id
left join permission_type_ranks as by_type
    on by_type.source = entitlement.source and by_type.entitlement_id = entitlement.entitlement_id
left join privileged_names as listed on listed.name = lower(entitlement.entitlement_name) and not listed.is_default

/* example
name = "the carried role is given by id or name; a missing role leaves carries_privileged null; the policy may list a group"
given."graph.roles" = [
  { source = "s", role_id = "1", role_name = "admin", role_display_name = "Admin", privileged = true },
  { source = "s", role_id = "2", role_name = "consumer", role_display_name = "Viewer", privileged = false },
  { source = "s", role_id = "3", role_name = "Data Admin", role_display_name = "Data Admin", privileged = true },
]
given."graph.role_names" = [
  { source = "s", role_id = "2", name = "consumer" }, { source = "s", role_id = "2", name = "viewer" },
  { source = "s", role_id = "3", name = "dataadmin" },
]
given."policy.privileged_groups" = [ { group_name = "Emergency", is_default = false } ]
given."reference.builtin_groups" = [ { group_name = "Everyone", is_everyone = true } ]
given."graph.memberships" = [ { source = "s", account_id = "a", group_id = "by id" }, { source = "s", account_id = "b", group_id = "by id" } ]
given."staging.groups" = [
  { source = "s", group_id = "by id", role_id = "1" },
  { source = "s", group_id = "by name", role_id = "Consumer" },
  { source = "s", group_id = "as people see it", role_id = "viewer" },
  { source = "s", group_id = "as the API calls it", role_id = "dataAdmin" },
  { source = "s", group_id = "lost", role_id = "9" },
  { source = "s", group_id = "listed", group_name = "EMERGENCY" },
  { source = "s", group_id = "all", group_name = "everyone" },
]
expect = [
  { group_id = "by id", role_id = "1", carries_privileged = true, is_listed_privileged = false, member_count = 2, is_builtin = false },
  { group_id = "by name", role_id = "2", carries_privileged = false, is_listed_privileged = false, member_count = 0, is_builtin = false },
  { group_id = "as people see it", role_id = "2", carries_privileged = false },
  { group_id = "as the API calls it", role_id = "3", carries_privileged = true },
  { group_id = "lost", role_id = "9", carries_privileged = "<null>", is_listed_privileged = false, member_count = 0, is_builtin = false },
  { group_id = "listed", role_id = "<null>", carries_privileged = false, is_listed_privileged = true, member_count = 0, is_builtin = false },
  { group_id = "all", role_id = "<null>", carries_privileged = false, is_listed_privileged = false, member_count = 0, is_builtin = true },
]
*/
/* example
name = "an entitlement of a file is privileged if the policy, the file or the type of a permission says so; else it is not known"
given."staging.file_entitlements" = [
  { source = "f", entitlement_id = "role:Admin", entitlement_type = "role", entitlement_name = "Admin" },
  { source = "f", entitlement_id = "role:Payroll", entitlement_type = "role", entitlement_name = "Payroll", is_privileged = true },
  { source = "f", entitlement_id = "role:Clerk", entitlement_type = "role", entitlement_name = "Clerk", is_privileged = true },
  { source = "f", entitlement_id = "role:Other", entitlement_type = "role", entitlement_name = "Other" },
  { source = "f", entitlement_id = "group:Everyone", entitlement_type = "group", entitlement_name = "Everyone", is_privileged = false },
  { source = "f", entitlement_id = "permission:Edit", entitlement_type = "permission", entitlement_name = "Edit", permission_types = ["dataread", "metadatawrite"] },
  { source = "f", entitlement_id = "permission:Read", entitlement_type = "permission", entitlement_name = "Read", permission_types = ["dataread"] },
  { source = "f", entitlement_id = "permission:Odd", entitlement_type = "permission", entitlement_name = "Odd", permission_types = ["dataread", "new"] },
  { source = "f", entitlement_id = "permission:None", entitlement_type = "permission", entitlement_name = "None", permission_types = [] },
]
given."policy.roles" = [
  { role_name = "admin", rank = 90, privileged = true, line = 2, is_default = true },
  { role_name = "Clerk", rank = 40, privileged = true, line = 2, is_default = false },
  { role_name = "clerk", rank = 20, privileged = false, source = "f", line = 3, is_default = false },
  { role_name = "Other", rank = 90, privileged = true, source = "elsewhere", line = 4, is_default = false },
]
given."reference.builtin_groups" = [ { group_name = "Everyone", is_everyone = true } ]
given."reference.permission_types" = [
  { permission_type = "DataRead", privileged = false }, { permission_type = "MetadataWrite", privileged = true },
]
given."graph.memberships" = [ { source = "f", account_id = "1", group_id = "role:Clerk" } ]
expect = [
  { group_id = "role:Admin", carries_privileged = "<null>", entitlement_type = "role", entitlement_rank = "<null>", is_builtin = false, member_count = 0 },
  { group_id = "role:Payroll", carries_privileged = true, entitlement_type = "role", entitlement_rank = "<null>", is_builtin = false, member_count = 0 },
  { group_id = "role:Clerk", carries_privileged = false, entitlement_type = "role", entitlement_rank = 20, is_builtin = false, member_count = 1 },
  { group_id = "role:Other", carries_privileged = "<null>", entitlement_type = "role", entitlement_rank = "<null>", is_builtin = false, member_count = 0 },
  { group_id = "group:Everyone", carries_privileged = false, entitlement_type = "group", entitlement_rank = "<null>", is_builtin = false, member_count = 0 },
  { group_id = "permission:Edit", carries_privileged = true, entitlement_type = "permission", entitlement_rank = "<null>", is_builtin = false, member_count = 0 },
  { group_id = "permission:Read", carries_privileged = false, entitlement_type = "permission", entitlement_rank = "<null>", is_builtin = false, member_count = 0 },
  { group_id = "permission:Odd", carries_privileged = "<null>", entitlement_type = "permission", entitlement_rank = "<null>", is_builtin = false, member_count = 0 },
  { group_id = "permission:None", carries_privileged = "<null>", entitlement_type = "permission", entitlement_rank = "<null>", is_builtin = false, member_count = 0 },
]
*/
