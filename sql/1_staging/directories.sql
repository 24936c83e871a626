/*
summary = "One directory that was read (Okta or Entra ID), and what its credential could read there."
reads   = ["meta.sources"]
grain   = ["source"]

[columns]
source            = "varchar: the source's name in the configuration"
kind              = "varchar: okta or entra"
gives_assignments = "boolean: who is assigned to the application was read"
gives_groups      = "boolean: groups and their members were read"
*/
select
    source,
    kind,
    coalesce(settings ->> '$.assignments' = 'read', false) as gives_assignments,
    coalesce(settings ->> '$.groups' = 'read', false) as gives_groups
from meta.sources
where snapshot_id = $snapshot_id and kind in ('okta', 'entra')

/* example
name = "a directory without an application, or without the permission, gives no assignments"
given."meta.sources" = [
  { snapshot_id = "example", source = "full", kind = "okta", url = "u", settings = '{"assignments":"read","groups":"read"}' },
  { snapshot_id = "example", source = "bare", kind = "entra", url = "u", settings = '{}' },
  { snapshot_id = "example", source = "prod", kind = "sisense", url = "u", settings = '{}' },
  { snapshot_id = "earlier", source = "old", kind = "okta", url = "u" },
]
expect = [
  { source = "full", kind = "okta", gives_assignments = true, gives_groups = true },
  { source = "bare", kind = "entra", gives_assignments = false, gives_groups = false },
]
*/
