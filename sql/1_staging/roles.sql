/*
summary = "One role, as the accepted sweep returned it. If an id came twice, the first record is kept."
reads   = ["raw.roles"]
grain   = ["source", "role_id"]

[columns]
source         = "varchar: the source's name in the configuration"
role_id        = "varchar: the source's own id"
role_name      = "varchar: the name the API uses"
display_name   = "varchar: the name shown to people; null if the record has none"
base_role_name = "varchar: the built-in role that a custom role is based on"
has_manifest   = "boolean: the record has the permissions of the role, and they can be read"
*/
with

records as (
    select source, page, ordinal,
        json_transform(payload, '{
            "_id": "VARCHAR", "name": "VARCHAR", "displayName": "VARCHAR", "baseRoleName": "VARCHAR",
            "manifest": "JSON"
        }') as record
    from raw.roles
    where snapshot_id = $snapshot_id and is_accepted
)

select
    source,
    record._id as role_id,
    nullif(trim(record.name), '') as role_name,
    nullif(trim(record.displayName), '') as display_name,
    nullif(trim(record.baseRoleName), '') as base_role_name,
    manifest_json(record.manifest) is not null as has_manifest
from records
where record._id is not null
qualify row_number() over (partition by source, record._id order by page, ordinal) = 1

/* example
name = "the permissions may be text; null, or text that is not JSON, counts as none"
given."raw.roles" = [
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"1","manifest":{"users":true}}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"2","manifest":"{\"users\":true}"}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"3","manifest":null}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"4","manifest":"not json"}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"5"}' },
]
expect = [
  { role_id = "1", has_manifest = true }, { role_id = "2", has_manifest = true },
  { role_id = "3", has_manifest = false }, { role_id = "4", has_manifest = false },
  { role_id = "5", has_manifest = false },
]
*/
