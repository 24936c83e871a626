/*
summary = "One source, and what it tells about everybody in it."
reads   = ["staging.users", "staging.roles", "staging.groups", "reference.snapshot"]
grain   = ["source"]

[columns]
source                = "varchar: the source's name in the configuration"
account_count         = "bigint: accounts in the source"
role_count            = "bigint: roles in the source"
group_count           = "bigint: groups in the source"
gives_last_seen       = "boolean: it gives a usable last login or activity for somebody, so that none means never"
gives_origin          = "boolean: it says for somebody where the account comes from"
gives_user_groups     = "boolean: some account says which groups it is in, were it none"
gives_group_members   = "boolean: some group says who its members are, were it nobody"
latest_believable_at  = "timestamp: a later value is not believed: 24 h after the later of as-of and the extract's end"
*/
with

latest as (
    select greatest($as_of, finished_at) + interval 24 hour as latest_believable_at from reference.snapshot
),

users as (
    select u.source, l.latest_believable_at, count(*) as account_count,
        bool_or(
            u.last_login_at <= l.latest_believable_at or u.last_activity_at <= l.latest_believable_at
        ) as gives_last_seen,
        bool_or(
            u.is_directory is not null or u.is_sso is not null or u.directory_id is not null
            or u.principal_name is not null
        ) as gives_origin,
        bool_or(u.lists_groups) as gives_user_groups
    from staging.users as u
    cross join latest as l
    group by u.source, l.latest_believable_at
),

roles as (
    select source, count(*) as role_count from staging.roles group by source
),

groups as (
    select source, count(*) as group_count, bool_or(lists_members) as gives_group_members
    from staging.groups group by source
)

select
    users.source,
    users.account_count,
    coalesce(roles.role_count, 0) as role_count,
    coalesce(groups.group_count, 0) as group_count,
    coalesce(users.gives_last_seen, false) as gives_last_seen,
    users.gives_origin,
    coalesce(users.gives_user_groups, false) as gives_user_groups,
    coalesce(groups.gives_group_members, false) as gives_group_members,
    users.latest_believable_at
from users
left join roles on roles.source = users.source
left join groups on groups.source = users.source
