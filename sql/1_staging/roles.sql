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
manifest       = "json: the permissions of the role; null if the source does not report them"
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
    record.manifest as manifest
from records
where record._id is not null
qualify row_number() over (partition by source, record._id order by page, ordinal) = 1
