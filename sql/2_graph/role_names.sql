/*
summary = "One name of one role, in lower case: the API's name or the one shown to people."
reads   = ["graph.roles", "reference.role_names"]
grain   = ["source", "role_id", "name"]

[columns]
source  = "varchar: the source's name in the configuration"
role_id = "varchar: the role's id in the source"
name    = "varchar: the name, in lower case"
*/
with

names as (
    select source, role_id, lower(role_name) as name from graph.roles
    union
    select source, role_id, lower(role_display_name) from graph.roles
    union
    select role.source, role.role_id, lower(names.role_name)
    from graph.roles as role
    join reference.role_names as names on lower(names.display_name) = lower(role.role_name)
)

select source, role_id, name from names where name is not null

/* example
name = "a built-in role has both names, whichever the source sends; a custom role has one; a role without a name has none"
given."reference.role_names" = [ { role_name = "dataAdmin", display_name = "Data Admin" } ]
given."graph.roles" = [
  { source = "s", role_id = "api", role_name = "dataAdmin", role_display_name = "Data Admin" },
  { source = "s", role_id = "shown", role_name = "Data Admin", role_display_name = "Data Admin" },
  { source = "s", role_id = "custom", role_name = "Custom_X", role_display_name = "Custom_X" },
  { source = "s", role_id = "bare" },
]
expect = [
  { role_id = "api", name = "dataadmin" }, { role_id = "api", name = "data admin" },
  { role_id = "shown", name = "dataadmin" }, { role_id = "shown", name = "data admin" },
  { role_id = "custom", name = "custom_x" },
]
*/
