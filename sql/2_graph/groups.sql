/*
summary = "One group, with its members counted and the role it carries."
reads   = [
    "staging.groups", "graph.memberships", "graph.roles", "graph.role_names", "reference.builtin_groups",
    "policy.privileged_groups",
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
carries_privileged   = "boolean: the role that the group carries is privileged; null if that role does not exist or cannot be read"
is_listed_privileged = "boolean: privileged_groups.csv lists the group"
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
    select distinct lower(group_name) as name from policy.privileged_groups
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
        when coalesce(len(g.unreadable_fields), 0) = 0 or g.unreadable_fields = ['users'] then false
    end as carries_privileged,
    listed.name is not null as is_listed_privileged
from staging.groups as g
left join reference.builtin_groups as builtin on lower(builtin.group_name) = lower(g.group_name)
left join member_counts as members on members.source = g.source and members.group_id = g.group_id
join carried_roles as carried on carried.source = g.source and carried.group_id = g.group_id
left join graph.roles as role on role.source = carried.source and role.role_id = carried.role_id
left join privileged_names as listed on listed.name = lower(g.group_name)

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
