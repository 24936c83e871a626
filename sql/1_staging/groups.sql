/*
summary = "One group, as the accepted sweep returned it. If an id came twice, the first record is kept."
reads   = ["raw.groups"]
grain   = ["source", "group_id"]

[columns]
source       = "varchar: the source's name in the configuration"
group_id     = "varchar: the source's own id"
group_name   = "varchar: the name; two groups may share one"
role_id      = "varchar: id or name of the role that the group gives to imported accounts"
is_directory = "boolean: the group comes from a directory; null if the source does not say"
lists_members = "boolean: the record has a list of members, possibly empty"
unreadable_fields = "varchar[]: the fields with a value of an unexpected type; their columns are null"

[checks.fields_that_cannot_be_read]
level = "warn"
sql = """
select source || ': ' || field || ' cannot be read, so it is not evaluated, for ' || counted(count(*), 'group') || ': '
    || array_to_string(list(group_id order by group_id) filter (where place <= 3), ', ')
    || case when count(*) > 3 then ' and ' || (count(*) - 3) || ' more' else '' end as problem
from (
    select source, field, group_id, row_number() over (partition by source, field order by group_id) as place
    from (select source, group_id, unnest(unreadable_fields) as field from staging.groups) as fields
) as unreadable
group by source, field order by source, field
"""
*/
with

-- Each record is read twice, however many members it lists: once for its values, once for the types of some of them.
parsed as (
    select source, page, ordinal, payload,
        json_type(payload, ['$.users', '$.name', '$.roleId', '$.defaultRole']) as types,
        json_transform(payload, '{
            "_id": "VARCHAR", "name": "VARCHAR", "roleId": "VARCHAR", "defaultRole": "VARCHAR", "ad": "VARCHAR",
            "objectSid": "VARCHAR", "dn": "VARCHAR", "users": [{"_id": "VARCHAR"}]
        }') as record
    from raw.groups
    where snapshot_id = $snapshot_id and is_accepted
),

records as (
    select source, page, ordinal, record, coalesce(types[1] = 'ARRAY', false) as lists_members,
        list_filter(
            [
                case when types[2] in ('OBJECT', 'ARRAY', 'BOOLEAN') then 'name' end,
                case when types[3] in ('OBJECT', 'ARRAY', 'BOOLEAN') then 'roleId' end,
                case when types[4] in ('OBJECT', 'ARRAY', 'BOOLEAN') then 'defaultRole' end
            ],
            lambda field: field is not null
        ) as unreadable_texts,
        -- Members are objects or plain ids. A null in the list is not a member. Only lists with anything else than
        -- objects in them are read as JSON, which is slower.
        case
            when types[1] not in ('ARRAY', 'NULL') then true
            when len(list_filter(record.users, lambda x: not coalesce(is_usable_id(x._id), false))) > 0
                then len(list_filter(
                    json_transform(payload, '{"users": ["JSON"]}').users,
                    lambda x: x ->> '$' <> '' and usable_id(coalesce(x ->> '$._id', x ->> '$')) is null
                )) > 0
        end as has_unreadable_members
    from parsed
)

select
    source,
    record._id as group_id,
    case when not list_contains(unreadable_texts, 'name') then nullif(trim(record.name), '') end as group_name,
    coalesce(usable_id(trim(record.roleId)), usable_id(trim(record.defaultRole))) as role_id,
    case
        when lower(record.ad) = 'true' or nullif(trim(record.objectSid), '') is not null
            or nullif(trim(record.dn), '') is not null then true
        when lower(record.ad) = 'false' then false
    end as is_directory,
    lists_members,
    list_concat(unreadable_texts, case when has_unreadable_members then ['users'] else [] end) as unreadable_fields
from records
where record._id is not null
qualify row_number() over (partition by source, record._id order by page, ordinal) = 1

/* example
name = "a field of an unexpected type is null and listed as unreadable; members may be ids or objects"
given."raw.groups" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"shapes","name":["x"],"roleId":{"a":1},"users":"1"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"_id":"mixed","name":"[x]","users":[{"_id":"1"},"2",null,true]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"_id":"plain","name":"x","users":["1",{"_id":"2"}],"roleId":null}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 4, is_accepted = true, payload = '{"_id":"bare"}' },
]
expect = [
  { group_id = "shapes", group_name = "<null>", role_id = "<null>", lists_members = false, unreadable_fields = ["name", "roleId", "users"] },
  { group_id = "mixed", group_name = "[x]", lists_members = true, unreadable_fields = ["users"] },
  { group_id = "plain", group_name = "x", lists_members = true, unreadable_fields = [] },
  { group_id = "bare", lists_members = false, unreadable_fields = [] },
]
*/
