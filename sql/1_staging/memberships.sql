/*
summary = "One account in one group, listed in the user's record, the group's record or both. Either may not exist."
reads   = ["raw.users", "raw.groups"]
grain   = ["source", "account_id", "group_id"]

[columns]
source     = "varchar: the source's name in the configuration"
account_id = "varchar: the account's id, as the record gives it"
group_id   = "varchar: the group's id, as the record gives it"
seen_in    = "varchar: the record that lists the membership: user, group or both"
*/
with

-- Groups are nearly always plain ids. Only lists with anything else in them are read as JSON, which is slower.
user_records as (
    select source, payload, json_transform(payload, '{"_id": "VARCHAR", "groups": ["VARCHAR"]}') as record
    from raw.users
    where snapshot_id = $snapshot_id and is_accepted
),

group_lists as (
    select
        source, payload, record._id as account_id, record.groups as groups,
        record.groups is null or len(list_filter(record.groups, lambda x: starts_with(x, '{'))) > 0 as has_objects
    from user_records
    where record._id is not null
),

groups_as_json as (
    select
        source, account_id,
        -- Some servers send a single group without the list around it.
        unnest(coalesce(
            json_transform(payload, '{"groups": ["JSON"]}').groups,
            case json_type(payload, '$.groups') when 'NULL' then null else [json_extract(payload, '$.groups')] end
        )) as element
    from group_lists
    where has_objects
),

-- Members are objects or plain ids. Reading them as objects takes a tenth of the memory, which matters for a group
-- with a million members.
group_records as (
    select source, payload, json_transform(payload, '{"_id": "VARCHAR", "users": [{"_id": "VARCHAR"}]}') as record
    from raw.groups
    where snapshot_id = $snapshot_id and is_accepted
),

member_lists as (
    select
        source, payload, record._id as group_id, record.users as members,
        record.users is null or len(list_filter(record.users, lambda x: x._id is null)) > 0 as has_plain_ids
    from group_records
    where record._id is not null
),

members_as_objects as (
    select source, group_id, unnest(members) as member
    from member_lists
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
    from member_lists
    where has_plain_ids
),

-- Each id of a list as it was found there, and whether that list is in the record of the account or of the group.
listed as (
    select source, account_id, unnest(groups) as group_id, true as is_in_account from group_lists where not has_objects
    union all
    select source, account_id, coalesce(element ->> '$._id', element ->> '$'), true from groups_as_json
    union all
    select source, member._id, group_id, false from members_as_objects
    union all
    select source, coalesce(element ->> '$._id', element ->> '$'), group_id, false from members_as_json
)

select
    source,
    account_id,
    group_id,
    case when bool_and(is_in_account) then 'user' when bool_or(is_in_account) then 'both' else 'group' end as seen_in
from listed
where is_usable_id(case when is_in_account then group_id else account_id end)
group by source, account_id, group_id

/* example
name = "groups may be plain ids or objects; a null or missing list has no groups"
given."raw.users" = [
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"a","groups":["g1",{"_id":"g2","name":"Two"},"g1",null]}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"b","groups":null}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"c"}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"d","groups":"g1"}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"e","groups":{"_id":"g2"}}' },
]
expect = [ { account_id = "a", group_id = "g1", seen_in = "user" }, { account_id = "a", group_id = "g2", seen_in = "user" }, { account_id = "d", group_id = "g1", seen_in = "user" }, { account_id = "e", group_id = "g2", seen_in = "user" } ]
*/
/* example
name = "values that are not ids are skipped; the ids beside them are kept"
given."raw.users" = [
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"a","groups":{}}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"b","groups":true}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"c","groups":["g1",true,["g2"],{"name":"x"},{"_id":{"$oid":"g3"}},{"_id":"g4"},7]}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"d","groups":[[["g1"]]]}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"e","groups":""}' },
]
expect = [ { account_id = "c", group_id = "g1", seen_in = "user" }, { account_id = "c", group_id = "g4", seen_in = "user" }, { account_id = "c", group_id = "7", seen_in = "user" } ]
*/
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
  { group_id = "g", account_id = "1", seen_in = "group" }, { group_id = "g", account_id = "2", seen_in = "group" },
  { group_id = "h", account_id = "1", seen_in = "group" }, { group_id = "h", account_id = "2", seen_in = "group" }, { group_id = "h", account_id = "3", seen_in = "group" },
  { group_id = "k", account_id = "1", seen_in = "group" },
]
*/
/* example
name = "an account that both records list is in both; a repeated record adds nothing"
given."raw.users" = [
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"a","groups":["g","h"]}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"a","groups":["g"]}' },
  { snapshot_id = "example", source = "s", is_accepted = false, payload = '{"_id":"z","groups":["g"]}' },
]
given."raw.groups" = [
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"g","users":[{"_id":"a"},{"_id":"b"}]}' },
  { snapshot_id = "example", source = "t", is_accepted = true, payload = '{"_id":"h","users":["a"]}' },
  { snapshot_id = "earlier", source = "s", is_accepted = true, payload = '{"_id":"h","users":["a"]}' },
]
expect = [
  { source = "s", account_id = "a", group_id = "g", seen_in = "both" }, { source = "s", account_id = "a", group_id = "h", seen_in = "user" },
  { source = "s", account_id = "b", group_id = "g", seen_in = "group" }, { source = "t", account_id = "a", group_id = "h", seen_in = "group" },
]
*/
