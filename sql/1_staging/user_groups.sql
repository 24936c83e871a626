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

records as (
    select source, json_transform(payload, '{"_id": "VARCHAR", "groups": ["JSON"]}') as record
    from raw.users
    where snapshot_id = $snapshot_id and is_accepted
),

elements as (
    select source, record._id as account_id, unnest(record.groups) as element
    from records
    where record._id is not null
),

ids as (
    select source, account_id, coalesce(element ->> '$._id', element ->> '$') as group_id from elements
)

select distinct source, account_id, group_id from ids where group_id <> ''

/* example
name = "ids and objects are read alike, null and missing lists are none"
given."raw.users" = [
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"a","groups":["g1",{"_id":"g2","name":"Two"},"g1",null]}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"b","groups":null}' },
  { snapshot_id = "example", source = "s", is_accepted = true, payload = '{"_id":"c"}' },
]
expect = [ { account_id = "a", group_id = "g1" }, { account_id = "a", group_id = "g2" } ]
*/
