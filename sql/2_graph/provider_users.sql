/*
summary = "One user of an identity provider, read by SCIM or from a directory, with the assignment to the application."
reads   = [
    "staging.scim_users", "staging.directories", "staging.directory_users", "staging.directory_assignments",
    "staging.directory_members",
]
grain   = ["source", "user_id"]

[columns]
source        = "varchar: the provider's name in the configuration"
user_id       = "varchar: the user's id at the provider"
external_id   = "varchar: in SCIM, the id that the identity provider assigned"
user_name     = "varchar: login name"
email         = "varchar: e-mail address"
user_name_key = "varchar: the user name, normalised for comparison"
email_key     = "varchar: the e-mail address, normalised for comparison"
alias_keys    = "varchar[]: further addresses, and the user name in the application, normalised for comparison"
is_active     = "boolean: the user may sign in; null if not known"
is_directory  = "boolean: the user comes from a directory (Okta or Entra ID), not from SCIM"
is_assigned   = "boolean: in a directory, the user is assigned to the application, directly or through a group; null if not known"
assigned_at   = "timestamp: when the user was first assigned, UTC; null if not known"
*/
with

assigned_users as (
    select source, principal_id as user_id, app_user_name, assigned_at
    from staging.directory_assignments
    where principal_type = 'user'
    union all
    select assignment.source, member.user_id, null, assignment.assigned_at
    from staging.directory_assignments as assignment
    join staging.directory_members as member
        on member.source = assignment.source and member.group_id = assignment.principal_id
    where assignment.principal_type = 'group'
),

assignments as (
    select source, user_id, min(app_user_name) as app_user_name, min(assigned_at) as assigned_at
    from assigned_users
    group by source, user_id
)

select
    source, scim_id as user_id, external_id, user_name, email, user_name_key, email_key,
    cast([] as varchar[]) as alias_keys, is_active, false as is_directory, cast(null as boolean) as is_assigned,
    cast(null as timestamp) as assigned_at
from staging.scim_users
union all
select
    users.source, users.user_id, null, users.user_name, users.email, users.user_name_key, users.email_key,
    case
        when assignments.app_user_name is null then users.alias_keys
        else list_append(users.alias_keys, assignments.app_user_name)
    end,
    users.is_active, true,
    case when directories.gives_assignments then assignments.user_id is not null end,
    assignments.assigned_at
from staging.directory_users as users
join staging.directories as directories on directories.source = users.source
left join assignments on assignments.source = users.source and assignments.user_id = users.user_id

/* example
name = "users are assigned directly or through a group; a nested group is not followed; without assignments it is not known"
given."staging.scim_users" = [ { source = "scim", scim_id = "s", external_id = "x", is_active = true } ]
given."staging.directories" = [
  { source = "d", kind = "entra", gives_assignments = true, gives_groups = true },
  { source = "bare", kind = "okta", gives_assignments = false, gives_groups = true },
]
given."staging.directory_users" = [
  { source = "d", user_id = "direct", alias_keys = ["a@x"], is_active = true }, { source = "d", user_id = "by group", alias_keys = [] },
  { source = "d", user_id = "nobody", alias_keys = [] }, { source = "bare", user_id = "b", alias_keys = [] },
]
given."staging.directory_assignments" = [
  { source = "d", assignment_id = "1", principal_type = "user", principal_id = "direct", app_user_name = "ann", assigned_at = 2026-01-01T00:00:00Z },
  { source = "d", assignment_id = "2", principal_type = "group", principal_id = "g" },
]
given."staging.directory_members" = [
  { source = "d", group_id = "g", user_id = "by group" }, { source = "d", group_id = "h", user_id = "nobody" },
]
expect = [
  { user_id = "s", external_id = "x", is_directory = false, is_assigned = "<null>" },
  { user_id = "direct", is_directory = true, is_assigned = true, alias_keys = ["a@x", "ann"], assigned_at = 2026-01-01T00:00:00Z },
  { user_id = "by group", is_assigned = true, assigned_at = "<null>" },
  { user_id = "nobody", is_assigned = false },
  { user_id = "b", is_assigned = "<null>" },
]
*/
