/*
summary = "What the completeness checks need of each group, read out of its accepted record once."
reads   = ["raw.groups"]
*/
with

records as (
    select
        source, payload ->> '$._id' as group_id,
        any_value(json_transform(payload, '{"name": "VARCHAR", "users": ["JSON"]}')) as record
    from raw.groups
    where snapshot_id = $snapshot_id and is_accepted
    group by source, payload ->> '$._id'
)

select
    source, group_id, record.name as group_name,
    -- null where the source does not list the members
    list_transform(record.users, lambda x: coalesce(x ->> '$._id', x ->> '$')) as member_ids
from records
