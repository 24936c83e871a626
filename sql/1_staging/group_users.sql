/*
summary = "One member listed in a group's record."
reads   = ["raw.groups"]
grain   = ["source", "group_id", "account_id"]

[columns]
source     = "varchar: the source's name in the configuration"
group_id   = "varchar: the group"
account_id = "varchar: the member's id, as the group's record gives it"
*/
with

-- Members are objects or plain ids. Reading them as objects takes a tenth of the memory, which matters for a group
-- with a million members.
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

members_as_objects as (
    select source, group_id, unnest(members) as member
    from lists
    where not has_plain_ids
),

members_as_json as (
    select
        source, group_id,
        -- Some servers send a single member without the list around it.
        unnest(coalesce(
            json_transform(payload, '{"users": ["JSON"]}').users,
            case json_type(payload, '$.users') when 'NULL' then null else [json_extract(payload, '$.users')] end
        )) as element
    from lists
    where has_plain_ids
),

member_ids as (
    select source, group_id, member._id as account_id from members_as_objects
    union all
    select source, group_id, coalesce(element ->> '$._id', element ->> '$') from members_as_json
)

select distinct source, group_id, usable_id(account_id) as account_id from member_ids where usable_id(account_id) is not null

/* example
name = "members may be objects, plain ids or both, and may repeat; a null or missing list has no members"
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
