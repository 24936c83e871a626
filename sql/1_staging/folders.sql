/*
summary = "One folder of dashboards. If an id came twice, the first record is kept."
reads   = ["raw.folders"]
grain   = ["source", "folder_id"]

[columns]
source    = "varchar: the source's name in the configuration"
folder_id = "varchar: the source's own id (oid)"
name      = "varchar: the name, trimmed"
parent_id = "varchar: the folder that holds it; null at the top"
owner_id  = "varchar: the account that owns it"
*/
with

records as (
    select
        source, page, ordinal,
        json_transform(
            payload, '{"oid": "VARCHAR", "name": "VARCHAR", "parentId": "VARCHAR", "owner": "VARCHAR"}'
        ) as record
    from raw.folders
    where snapshot_id = $snapshot_id and is_accepted
)

select
    source,
    record.oid as folder_id,
    trimmed(record.name) as name,
    usable_id(record.parentId) as parent_id,
    usable_id(record.owner) as owner_id
from records
where record.oid is not null
qualify row_number() over (partition by source, record.oid order by page, ordinal) = 1

/* example
name = "a folder at the top has no parent"
given."raw.folders" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"oid":"1","name":" Finance ","owner":"a"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"oid":"2","name":"Q1","parentId":"1","owner":null}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"oid":"1","name":"again"}' },
]
expect = [
  { folder_id = "1", name = "Finance", parent_id = "<null>", owner_id = "a" },
  { folder_id = "2", name = "Q1", parent_id = "1", owner_id = "<null>" },
]
*/
