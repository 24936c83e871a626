/*
summary = "One group, with the fields that the completeness checks need."
reads   = ["raw.groups"]
*/
with

-- Pages overlap when the list changes while it is read. The first record of each group is kept. The grouping finds only
-- its place, because a record may hold a million members.
first_records as (
    select source, payload ->> '$._id' as group_id, min((page, ordinal)) as place
    from raw.groups
    where snapshot_id = $snapshot_id and is_accepted
    group by source, payload ->> '$._id'
),

-- Members are objects or plain ids. Reading them as objects takes a tenth of the memory.
records as (
    select
        first_records.source, first_records.group_id, found.payload,
        json_transform(found.payload, '{"name": "VARCHAR", "users": [{"_id": "VARCHAR"}]}') as record
    from raw.groups as found
    join first_records on first_records.source = found.source and first_records.place = (found.page, found.ordinal)
    where found.snapshot_id = $snapshot_id and found.is_accepted
)

select
    source, group_id, record.name as group_name,
    -- null if the source does not list the members
    case
        when len(list_filter(record.users, lambda x: x._id is null)) > 0 then list_transform(
            json_transform(payload, '{"users": ["JSON"]}').users,
            lambda x: usable_id(coalesce(x ->> '$._id', x ->> '$'))
        )
        else list_transform(record.users, lambda x: usable_id(x._id))
    end as member_ids
from records
