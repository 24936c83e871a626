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

records as (
    select source, json_transform(payload, '{"_id": "VARCHAR", "users": ["JSON"]}') as record
    from raw.groups
    where snapshot_id = $snapshot_id and is_accepted
),

elements as (
    select source, record._id as group_id, unnest(record.users) as element
    from records
    where record._id is not null
),

ids as (
    select source, group_id, coalesce(element ->> '$._id', element ->> '$') as account_id from elements
)

select distinct source, group_id, account_id from ids where account_id <> ''
