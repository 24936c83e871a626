/*
summary = "One permission that a role has, as its record says. If an id came twice, the first record is kept."
reads   = ["raw.roles"]
grain   = ["source", "role_id", "path"]

[columns]
source     = "varchar: the source's name in the configuration"
role_id    = "varchar: the role's id in the source"
path       = "varchar: where the permission is in the record, as a JSON path"
permission = "varchar: its name, in lower case"
*/
with

records as (
    select source, page, ordinal, json_transform(payload, '{"_id": "VARCHAR", "manifest": "JSON"}') as record
    from raw.roles
    where snapshot_id = $snapshot_id and is_accepted
),

manifests as (
    select source, record._id as role_id, manifest_json(record.manifest) as manifest
    from records
    where record._id is not null
    qualify row_number() over (partition by source, record._id order by page, ordinal) = 1
)

select distinct
    manifests.source, manifests.role_id, permission.fullkey as path, lower(permission.key) as permission
from manifests, json_tree(manifests.manifest) as permission
where permission.type = 'BOOLEAN' and permission.value = 'true'

/* example
name = "permissions at any depth that are true; the permissions may be text"
given."raw.roles" = [
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"1","manifest":{"manage":{"Users":{"editUser":true,"viewUser":false}},"apps":true}}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"2","manifest":"{\"users\":true}"}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"3","manifest":"not json"}' },
]
expect = [
  { role_id = "1", path = "$.manage.Users.editUser", permission = "edituser" },
  { role_id = "1", path = "$.apps", permission = "apps" },
  { role_id = "2", path = "$.users", permission = "users" },
]
*/
