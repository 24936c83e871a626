/*
summary = "One group record of the accepted sweep."
reads   = ["raw.groups"]
grain   = ["source", "group_id"]

[columns]
source       = "varchar: the source's name in the configuration"
group_id     = "varchar: the source's own id"
group_name   = "varchar: name; not proven unique"
role_id      = "varchar: the role that the group carries for imported accounts, id or name"
is_directory = "boolean: the group comes from a directory; null if the source does not say"
lists_members = "boolean: the record has a list of members, were it empty"
*/
with

records as (
    select source, page, ordinal, coalesce(json_type(payload, '$.users') = 'ARRAY', false) as lists_members,
        json_transform(payload, '{
            "_id": "VARCHAR", "name": "VARCHAR", "roleId": "VARCHAR", "defaultRole": "VARCHAR", "ad": "VARCHAR",
            "objectSid": "VARCHAR", "dn": "VARCHAR"
        }') as record
    from raw.groups
    where snapshot_id = $snapshot_id and is_accepted
)

select
    source,
    record._id as group_id,
    nullif(trim(record.name), '') as group_name,
    coalesce(nullif(trim(record.roleId), ''), nullif(trim(record.defaultRole), '')) as role_id,
    case
        when lower(record.ad) = 'true' or nullif(trim(record.objectSid), '') is not null
            or nullif(trim(record.dn), '') is not null then true
        when lower(record.ad) = 'false' then false
    end as is_directory,
    lists_members
from records
where record._id is not null
qualify row_number() over (partition by source, record._id order by page, ordinal) = 1
