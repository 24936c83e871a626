/*
summary = "One role, group or permission of an application that is read from files. If an id came twice, the first record is kept."
reads   = ["raw.file_entitlements"]
grain   = ["source", "entitlement_id"]

[columns]
source           = "varchar: the source's name in the configuration"
entitlement_id   = "varchar: the id in the file"
entitlement_type = "varchar: what the file calls it, in lower case: role, group, permission, ...; else entitlement"
entitlement_name = "varchar: the name shown to people; null if the file has none"
description      = "varchar: what it allows, in the words of the file"
privileged_text  = "varchar: the file's word for whether it is privileged; null if empty"
is_privileged    = "boolean: the file says that it gives administrative rights; null if it does not say"
permission_types = "varchar[]: the types of its permissions, in lower case; null unless the file has them"

[checks.privileged_that_cannot_be_read]
level = "warn"
sql = """
select source || ': ' || counted(count(*), 'entitlement') || ' with a word for privileged that is neither true nor false; whether they are is not known' as problem
from staging.file_entitlements
where privileged_text is not null and is_privileged is null
group by source order by source
"""
*/
with

records as (
    select source, page, ordinal,
        json_transform(payload, '{
            "entitlement_type": "VARCHAR", "entitlement_id": "VARCHAR", "entitlement_name": "VARCHAR",
            "description": "VARCHAR", "privileged": "VARCHAR", "permission_types": ["VARCHAR"]
        }') as record
    from raw.file_entitlements
    where snapshot_id = $snapshot_id and is_accepted
)

select
    source,
    record.entitlement_id as entitlement_id,
    coalesce(lower(trimmed(record.entitlement_type)), 'entitlement') as entitlement_type,
    trimmed(record.entitlement_name) as entitlement_name,
    trimmed(record.description) as description,
    trimmed(record.privileged) as privileged_text,
    case
        when lower(trimmed(record.privileged)) in ('true', 'yes', '1') then true
        when lower(trimmed(record.privileged)) in ('false', 'no', '0') then false
    end as is_privileged,
    list_transform(record.permission_types, lambda name: lower(name)) as permission_types
from records
where record.entitlement_id is not null
qualify row_number() over (partition by source, record.entitlement_id order by page, ordinal) = 1

/* example
name = "only words for true and false say whether an entitlement is privileged; a repeated id keeps its first record"
given."raw.file_entitlements" = [
  { snapshot_id = "example", source = "f", page = 1, ordinal = 1, is_accepted = true, payload = '{"entitlement_type":"Role","entitlement_id":"r","entitlement_name":" Clerk ","privileged":"No"}' },
  { snapshot_id = "example", source = "f", page = 1, ordinal = 2, is_accepted = true, payload = '{"entitlement_id":"p","privileged":"perhaps","permission_types":["DataRead"]}' },
  { snapshot_id = "example", source = "f", page = 1, ordinal = 3, is_accepted = true, payload = '{"entitlement_id":"r","entitlement_name":"again","privileged":"1"}' },
]
expect = [
  { entitlement_id = "r", entitlement_type = "role", entitlement_name = "Clerk", is_privileged = false, permission_types = "<null>" },
  { entitlement_id = "p", entitlement_type = "entitlement", entitlement_name = "<null>", is_privileged = "<null>", permission_types = ["dataread"] },
]
*/
