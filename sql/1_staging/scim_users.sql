/*
summary = "One SCIM user of the accepted sweep. If an id came twice, the first record is kept."
reads   = ["raw.scim_users"]
grain   = ["source", "scim_id"]

[columns]
source      = "varchar: the source's name in the configuration"
scim_id     = "varchar: the user's id in SCIM, unchanged"
external_id = "varchar: the id that the identity provider assigned"
user_name   = "varchar: login name, trimmed; null if empty"
email       = "varchar: the primary e-mail address, else the first one listed"
user_name_key = "varchar: the user name, normalised for comparison"
email_key   = "varchar: the e-mail address, normalised for comparison"
is_active   = "boolean: the active flag; null if it is missing or not a boolean"

[checks.active_flags_that_cannot_be_read]
level = "warn"
sql = """
select source || ': ' || counted(count(*), 'SCIM user') || ' without a readable active flag; their status is unknown' as problem
from staging.scim_users where is_active is null group by source order by source
"""
*/
with

records as (
    select
        source, page, ordinal, payload,
        -- Some endpoints send a single address without the list around it.
        case json_type(payload, '$.emails')
            when 'ARRAY' then json_transform(json_extract(payload, '$.emails'), '["JSON"]')
            when 'OBJECT' then [json_extract(payload, '$.emails')]
        end as emails
    from raw.scim_users
    where snapshot_id = $snapshot_id and is_accepted
)

select
    source,
    payload ->> '$.id' as scim_id,
    nullif(trim(payload ->> '$.externalId'), '') as external_id,
    trimmed(payload ->> '$.userName') as user_name,
    coalesce(
        trimmed(list_filter(emails, lambda x: lower(trim(x ->> '$.primary')) = 'true')[1] ->> '$.value'),
        trimmed(emails[1] ->> '$.value')
    ) as email,
    match_key(user_name) as user_name_key,
    match_key(email) as email_key,
    case lower(trim(payload ->> '$.active')) when 'true' then true when 'false' then false end as is_active
from records
where coalesce(payload ->> '$.id', '') <> ''
qualify row_number() over (partition by source, payload ->> '$.id' order by page, ordinal) = 1

/* example
name = "the primary address wins; unreadable values are null and the user is kept"
given."raw.scim_users" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"id":"a","userName":" ann ","active":true,"emails":[{"value":"b@x"},{"value":"a@x","primary":"True"}]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"id":"b","active":" False","emails":{"value":"b@x"}}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"id":"c","active":7,"emails":"c@x","userName":""}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 4, is_accepted = true, payload = '{"id":"a","userName":"again"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 5, is_accepted = true, payload = '"no record"' },
]
expect = [
  { scim_id = "a", user_name = "ann", email = "a@x", is_active = true },
  { scim_id = "b", user_name = "<null>", email = "b@x", is_active = false },
  { scim_id = "c", user_name = "<null>", email = "<null>", is_active = "<null>" },
]
*/
