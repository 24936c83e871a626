/*
summary = "One group and how many members it has, on either side."
reads   = ["staging.groups", "graph.memberships", "reference.builtin_groups"]
grain   = ["source", "group_id"]

[columns]
source       = "varchar: the source's name in the configuration"
group_id     = "varchar: the source's own id"
group_name   = "varchar: name; not proven unique"
origin       = "varchar: directory, local or unknown"
role_id      = "varchar: the role that the group carries for imported accounts"
is_builtin   = "boolean: one of the groups that every instance has"
is_everyone  = "boolean: a built-in group that holds all accounts"
member_count = "bigint: members on either side"
*/
with

members as (
    select source, group_id, count(*) as member_count from graph.memberships group by source, group_id
)

select
    g.source,
    g.group_id,
    g.group_name,
    case g.is_directory when true then 'directory' when false then 'local' else 'unknown' end as origin,
    g.role_id,
    builtin.group_name is not null as is_builtin,
    coalesce(builtin.is_everyone, false) as is_everyone,
    coalesce(members.member_count, 0) as member_count
from staging.groups as g
left join reference.builtin_groups as builtin on lower(builtin.group_name) = lower(g.group_name)
left join members on members.source = g.source and members.group_id = g.group_id
