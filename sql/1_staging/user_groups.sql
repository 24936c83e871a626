/*
summary = "One group listed in a user's record."
reads   = ["raw.users"]
grain   = ["source", "account_id", "group_id"]

[columns]
source     = "varchar: the source's name in the configuration"
account_id = "varchar: the account"
group_id   = "varchar: the group's id, as the user's record gives it"
*/
with

-- Groups are nearly always plain ids. Only lists with anything else in them are read as JSON, which is slower.
records as (
    select source, payload, json_transform(payload, '{"_id": "VARCHAR", "groups": ["VARCHAR"]}') as record
    from raw.users
    where snapshot_id = $snapshot_id and is_accepted
),

lists as (
    select
        source, payload, record._id as account_id, record.groups as groups,
        record.groups is null or len(list_filter(record.groups, lambda x: starts_with(x, '{'))) > 0 as has_objects
    from records
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
    from lists
    where has_objects
),

group_ids as (
    select source, account_id, unnest(groups) as group_id from lists where not has_objects
    union all
    select source, account_id, coalesce(element ->> '$._id', element ->> '$') from groups_as_json
)

select distinct source, account_id, usable_id(group_id) as group_id from group_ids where usable_id(group_id) is not null

/* example
name = "groups may be plain ids or objects; a null or missing list has no groups"
given."raw.users" = [
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"a","groups":["g1",{"_id":"g2","name":"Two"},"g1",null]}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"b","groups":null}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"c"}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"d","groups":"g1"}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"e","groups":{"_id":"g2"}}' },
]
expect = [ { account_id = "a", group_id = "g1" }, { account_id = "a", group_id = "g2" }, { account_id = "d", group_id = "g1" }, { account_id = "e", group_id = "g2" } ]
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
expect = [ { account_id = "c", group_id = "g1" }, { account_id = "c", group_id = "g4" }, { account_id = "c", group_id = "7" } ]
*/
