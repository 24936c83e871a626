/*
summary = "One source, with the number of its accounts, roles and groups and the kinds of data that it reports."
reads   = ["staging.users", "staging.roles", "staging.groups", "staging.file_entitlements", "reference.snapshot"]
grain   = ["source"]

[columns]
source                = "varchar: the source's name in the configuration"
account_count         = "bigint: accounts in the source"
role_count            = "bigint: roles in the source"
group_count           = "bigint: groups in the source, or entitlements of an application that is read from files"
is_from_files         = "boolean: an application that is read from files; its accounts hold any number of entitlements, and have no role of their own"
gives_names           = "boolean: it gives a first or last name for at least one account"
gives_emails          = "boolean: it gives an e-mail address for at least one account"
gives_last_seen       = "boolean: it reports a usable last login or activity for at least one account, so a missing one means never"
gives_origin          = "boolean: it reports the origin of at least one account"
gives_user_groups     = "boolean: at least one user record has a list of groups, possibly empty"
gives_group_members   = "boolean: at least one group record has a list of members, possibly empty"
latest_believable_at  = "timestamp: 24 h after the later of as-of and the end of the extract, UTC; later times are treated as errors"
*/
with

time_limit as (
    select greatest($as_of, finished_at) + interval 24 hour as latest_believable_at from reference.snapshot
),

user_counts as (
    select u.source, l.latest_believable_at, count(*) as account_count,
        bool_or(
            u.last_login_at <= l.latest_believable_at or u.last_activity_at <= l.latest_believable_at
        ) as gives_last_seen,
        bool_or(
            u.is_directory is not null or u.is_sso is not null or u.directory_id is not null
            or u.principal_name is not null
        ) as gives_origin,
        bool_or(u.lists_groups) as gives_user_groups,
        bool_or(u.is_from_file) as is_from_files,
        bool_or(u.first_name is not null or u.last_name is not null) as gives_names,
        bool_or(u.email is not null) as gives_emails
    from staging.users as u
    cross join time_limit as l
    group by u.source, l.latest_believable_at
),

role_counts as (
    select source, count(*) as role_count from staging.roles group by source
),

group_counts as (
    select source, count(*) as group_count, bool_or(lists_members) as gives_group_members
    from staging.groups group by source
    union all
    select source, count(*), true from staging.file_entitlements group by source
)

select
    users.source,
    users.account_count,
    coalesce(roles.role_count, 0) as role_count,
    coalesce(groups.group_count, 0) as group_count,
    coalesce(users.is_from_files, false) as is_from_files,
    users.gives_names,
    users.gives_emails,
    coalesce(users.gives_last_seen, false) as gives_last_seen,
    users.gives_origin,
    coalesce(users.gives_user_groups, false) as gives_user_groups,
    coalesce(groups.gives_group_members, false) as gives_group_members,
    users.latest_believable_at
from user_counts as users
left join role_counts as roles on roles.source = users.source
left join group_counts as groups on groups.source = users.source
