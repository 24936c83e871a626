/*
summary = "One user id that a group record names as a member, plain or expanded."
reads   = ["raw.groups"]
grain   = ["source", "group_id", "account_id"]

[columns]
source     = "varchar: the source's name in the configuration"
group_id   = "varchar: the group"
account_id = "varchar: the member, as the group's record names it"
*/
with

-- Members come as objects or as plain ids. Read as objects they cost a tenth of the memory, and a group may have a
-- million of them.
records as (
    select source, payload, json_transform(payload, '{"_id": "VARCHAR", "users": [{"_id": "VARCHAR"}]}') as record
    from raw.groups
    where snapshot_id = $snapshot_id and is_accepted
),

lists as (
    select
        source, payload, record._id as group_id, record.users as members,
        record.users is null or len(list_filter(record.users, lambda x: x._id is null)) > 0 as has_plain_ids
    from records
    where record._id is not null
),

expanded as (
    select source, group_id, unnest(members) as member
    from lists
    where not has_plain_ids
),

plain as (
    select
        source, group_id,
        -- one member outside a list is a member all the same
        unnest(coalesce(
            json_transform(payload, '{"users": ["JSON"]}').users,
            case json_type(payload, '$.users') when 'NULL' then null else [json_extract(payload, '$.users')] end
        )) as element
    from lists
    where has_plain_ids
),

ids as (
    select source, group_id, member._id as account_id from expanded
    union all
    select source, group_id, coalesce(element ->> '$._id', element ->> '$') from plain
)

select distinct source, group_id, usable_id(account_id) as account_id from ids where usable_id(account_id) is not null

/* example
name = "members as objects, as plain ids, mixed and repeated; nobody where there is no list"
given."raw.groups" = [
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id": "g", "users": [{"_id": "1", "userName": "one"}, {"_id": "2"}, {"_id": "1"}]}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id": "h", "users": ["1", 2, {"_id": "3"}, "", null]}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id": "i", "users": null}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id": "j"}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id": "k", "users": {"_id": "1"}}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id": "l", "users": [{"name": "x"}, true, ["1"], {"_id": {"$oid": "2"}}]}' },
]
expect = [
  { group_id = "g", account_id = "1" }, { group_id = "g", account_id = "2" },
  { group_id = "h", account_id = "1" }, { group_id = "h", account_id = "2" }, { group_id = "h", account_id = "3" },
  { group_id = "k", account_id = "1" },
]
*/
