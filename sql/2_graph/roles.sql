/*
summary = "One role with its rank, from its own name, else from its base role, else unclassified."
reads   = ["staging.roles", "staging.role_permissions", "reference.role_names", "reference.management_permissions", "policy.roles"]
grain   = ["source", "role_id"]

[columns]
source            = "varchar: the source's name in the configuration"
role_id           = "varchar: the role's id in the source"
role_name         = "varchar: the name the API uses"
role_display_name = "varchar: the name shown to people"
base_role_name    = "varchar: the built-in role that a custom role is based on"
role_rank         = "integer: rank from 0 to 100; null if unclassified"
privileged        = "boolean: the policy ranks the role as privileged, or it manages users; an unclassified role counts as privileged"
rank_basis        = "varchar: where the rank comes from: name, base role or unclassified"
is_builtin        = "boolean: every instance has this role"
manages_users     = "boolean: the permissions include managing users, groups or tenants"
has_manifest      = "boolean: the source reports the permissions of the role"
*/
with

builtin_names as (
    select lower(role_name) as name, role_name, display_name from reference.role_names
    union
    select lower(display_name), role_name, display_name from reference.role_names
),

-- The policy may use either name of a role. Its own lines take precedence over the defaults, and among those the lines
-- for one source.
role_ranks as (
    select sources.source, coalesce(names.role_name, lower(policy.role_name)) as canonical_name, policy.rank,
        policy.privileged, policy.is_default
    from (select distinct source from staging.roles) as sources
    join policy.roles as policy on coalesce(policy.source, sources.source) = sources.source
    left join builtin_names as names on names.name = lower(policy.role_name)
    qualify row_number() over (
        partition by sources.source, coalesce(names.role_name, lower(policy.role_name))
        order by policy.is_default, policy.source is null, policy.line
    ) = 1
),

-- Servers write a permission below its area ("users": {"editUser": true}) or as the whole area ("users": true).
managing_roles as (
    select distinct permissions.source, permissions.role_id
    from staging.role_permissions as permissions
    join reference.management_permissions as management
        on permissions.permission = management.area
        or (
            regexp_matches(lower(permissions.path), '[."]' || management.area || '"?([.\[]|$)')
            and starts_with(permissions.permission, management.verb_prefix)
        )
),

matched_roles as (
    select
        role.source, role.role_id, role.role_name, role.base_role_name, role.has_manifest,
        -- A custom role may share its name with a built-in role but be based on a higher one. The higher rank counts,
        -- unless the policy ranks that name itself.
        coalesce(
            by_name.is_default and by_base.rank > by_name.rank and lower(role.role_name) <> lower(own.role_name), false
        ) as counts_by_base,
        own.role_name is not null as is_builtin,
        coalesce(own.display_name, role.display_name, role.role_name) as role_display_name,
        by_name.rank as name_rank, by_name.privileged as is_name_privileged,
        by_base.rank as base_rank, by_base.privileged as is_base_privileged,
        managing.role_id is not null as manages_users
    from staging.roles as role
    left join builtin_names as own on own.name = lower(role.role_name)
    left join builtin_names as base on base.name = lower(role.base_role_name)
    left join role_ranks as by_name
        on by_name.source = role.source and by_name.canonical_name = coalesce(own.role_name, lower(role.role_name))
    left join role_ranks as by_base
        on by_base.source = role.source and by_base.canonical_name = coalesce(base.role_name, lower(role.base_role_name))
    left join managing_roles as managing on managing.source = role.source and managing.role_id = role.role_id
)

select
    source,
    role_id,
    role_name,
    role_display_name,
    base_role_name,
    case when counts_by_base then base_rank else coalesce(name_rank, base_rank) end as role_rank,
    case when counts_by_base then is_base_privileged else coalesce(is_name_privileged, is_base_privileged, true) end
        or manages_users as privileged,
    case
        when counts_by_base then 'base role'
        when name_rank is not null then 'name'
        when base_rank is not null then 'base role'
        else 'unclassified'
    end as rank_basis,
    is_builtin,
    manages_users,
    has_manifest
from matched_roles

/* example
name = "API name, display name, custom role, unranked role, and a manifest that manages users"
given."reference.role_names" = [
  { role_name = "admin", display_name = "Admin" }, { role_name = "consumer", display_name = "Viewer" },
]
given."policy.roles" = [
  { role_name = "admin", rank = 90, privileged = true, is_default = true },
  { role_name = "consumer", rank = 10, privileged = false, is_default = true },
  { role_name = "custom_ranked", rank = 40, privileged = false, line = 2, is_default = false },
  { role_name = "Viewer", rank = 15, privileged = false, line = 3, is_default = false },
]
given."reference.management_permissions" = [ { area = "users", verb_prefix = "edit" } ]
given."staging.role_permissions" = [
  { source = "s", role_id = "5", path = "$.manage.Users.editUser", permission = "edituser" },
  { source = "s", role_id = "6", path = "$.users.viewUser", permission = "viewuser" },
  { source = "s", role_id = "7", path = "$.users", permission = "users" },
  { source = "s", role_id = "10", path = "$.users", permission = "users" },
]
given."staging.roles" = [
  { source = "s", role_id = "1", role_name = "admin" },
  { source = "s", role_id = "2", role_name = "viewer" },
  { source = "s", role_id = "3", role_name = "custom_a", base_role_name = "consumer" },
  { source = "s", role_id = "4", role_name = "custom_b" },
  { source = "s", role_id = "5", role_name = "custom_c", base_role_name = "consumer", has_manifest = true },
  { source = "s", role_id = "6", role_name = "custom_d", base_role_name = "consumer", has_manifest = true },
  { source = "s", role_id = "7", role_name = "custom_e", base_role_name = "consumer", has_manifest = true },
  { source = "s", role_id = "8", role_name = "custom_ranked" },
  { source = "s", role_id = "9", role_name = "Admin", base_role_name = "consumer" },
  { source = "s", role_id = "10", role_name = "custom_text", base_role_name = "consumer", has_manifest = true },
  { source = "s", role_id = "11", role_name = "consumer", base_role_name = "admin", has_manifest = false },
  { source = "s", role_id = "12", role_name = "Viewer", base_role_name = "admin", has_manifest = false },
]
expect = [
  { role_id = "1", role_rank = 90, privileged = true, rank_basis = "name", is_builtin = true, role_display_name = "Admin" },
  { role_id = "2", role_rank = 15, privileged = false, rank_basis = "name", is_builtin = true, role_display_name = "Viewer" },
  { role_id = "3", role_rank = 15, privileged = false, rank_basis = "base role", is_builtin = false, role_display_name = "custom_a" },
  { role_id = "4", role_rank = "<null>", privileged = true, rank_basis = "unclassified", is_builtin = false, role_display_name = "custom_b" },
  { role_id = "5", role_rank = 15, privileged = true, rank_basis = "base role", is_builtin = false, role_display_name = "custom_c" },
  { role_id = "6", role_rank = 15, privileged = false, rank_basis = "base role", is_builtin = false, role_display_name = "custom_d" },
  { role_id = "7", role_rank = 15, privileged = true, rank_basis = "base role", is_builtin = false, role_display_name = "custom_e" },
  { role_id = "8", role_rank = 40, privileged = false, rank_basis = "name", is_builtin = false, role_display_name = "custom_ranked" },
  { role_id = "9", role_rank = 90, privileged = true, rank_basis = "name", is_builtin = true, role_display_name = "Admin" },
  { role_id = "10", role_rank = 15, privileged = true, rank_basis = "base role", is_builtin = false, role_display_name = "custom_text", has_manifest = true },
  { role_id = "11", role_rank = 15, privileged = false, rank_basis = "name", is_builtin = true, role_display_name = "Viewer", has_manifest = false },
  { role_id = "12", role_rank = 15, privileged = false, rank_basis = "name", is_builtin = true, role_display_name = "Viewer", has_manifest = false },
]
*/
