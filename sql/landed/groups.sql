/*
summary = "What the completeness checks need of each group, read out of its accepted record once."
reads   = ["raw.groups"]
*/
with

-- Sweeps overlap where the list moved while it was read: the first copy of a group stands for all of them. Found by
-- its place, since a record may hold a million members and is better not carried through a grouping.
first_copies as (
    select source, payload ->> '$._id' as group_id, min((page, ordinal)) as place
    from raw.groups
    where snapshot_id = $snapshot_id and is_accepted
    group by source, payload ->> '$._id'
),

-- Members come as objects or as plain ids. Read as objects they cost a tenth of the memory.
records as (
    select
        first_copies.source, first_copies.group_id, found.payload,
        json_transform(found.payload, '{"name": "VARCHAR", "users": [{"_id": "VARCHAR"}]}') as record
    from raw.groups as found
    join first_copies on first_copies.source = found.source and first_copies.place = (found.page, found.ordinal)
    where found.snapshot_id = $snapshot_id and found.is_accepted
)

select
    source, group_id, record.name as group_name,
    -- null where the source does not list the members
    case
        when len(list_filter(record.users, lambda x: x._id is null)) > 0 then list_transform(
            json_transform(payload, '{"users": ["JSON"]}').users,
            lambda x: usable_id(coalesce(x ->> '$._id', x ->> '$'))
        )
        else list_transform(record.users, lambda x: usable_id(x._id))
    end as member_ids
from records
