/*
summary = "One group id that a user record names, plain or expanded."
reads   = ["raw.users"]
grain   = ["source", "account_id", "group_id"]

[columns]
source     = "varchar: the source's name in the configuration"
account_id = "varchar: the user"
group_id   = "varchar: the group, as the user's record names it"
*/
with

-- Groups come as plain ids, nearly always; only where one is more than that are they read as JSON.
records as (
    select source, payload, json_transform(payload, '{"_id": "VARCHAR", "groups": ["VARCHAR"]}') as record
    from raw.users
    where snapshot_id = $snapshot_id and is_accepted
),

lists as (
    select
        source, payload, record._id as account_id, record.groups as groups,
        record.groups is null or len(list_filter(record.groups, lambda x: starts_with(x, '{'))) > 0 as is_odd
    from records
    where record._id is not null
),

odd as (
    select
        source, account_id,
        -- one group outside a list is a group all the same
        unnest(coalesce(
            json_transform(payload, '{"groups": ["JSON"]}').groups,
            case json_type(payload, '$.groups') when 'NULL' then null else [json_extract(payload, '$.groups')] end
        )) as element
    from lists
    where is_odd
),

ids as (
    select source, account_id, unnest(groups) as group_id from lists where not is_odd
    union all
    select source, account_id, coalesce(element ->> '$._id', element ->> '$') from odd
)

select distinct source, account_id, usable_id(group_id) as group_id from ids where usable_id(group_id) is not null

/* example
name = "ids and objects are read alike, null and missing lists are none"
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
name = "what is no id names no group; the others beside it do"
given."raw.users" = [
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"a","groups":{}}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"b","groups":true}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"c","groups":["g1",true,["g2"],{"name":"x"},{"_id":{"$oid":"g3"}},{"_id":"g4"},7]}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"d","groups":[[["g1"]]]}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"e","groups":""}' },
]
expect = [ { account_id = "c", group_id = "g1" }, { account_id = "c", group_id = "g4" }, { account_id = "c", group_id = "7" } ]
*/
