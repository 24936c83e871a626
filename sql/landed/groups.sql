/*
summary = "One accepted group record, with its members as a number and a hash: a record may hold a million of them."
reads   = ["raw.groups"]
*/
with

records as (
    select
        source, page, ordinal, payload,
        json_transform(payload, '{"_id": "VARCHAR", "name": "VARCHAR", "users": [{"_id": "VARCHAR"}]}') as record
    from raw.groups
    where snapshot_id = $snapshot_id and is_accepted
),

-- Members are objects or plain ids. Reading them as objects takes a tenth of the memory.
fields as (
    select
        source, page, ordinal, record._id as group_id, record.name as group_name, len(record.users) as member_count,
        coalesce(
            list_bit_xor(list_transform(record.users, lambda x: md5_number(x._id))),
            case when len(record.users) > 0 then list_bit_xor(
                list_transform(json_transform(payload, '{"users": ["VARCHAR"]}').users, lambda x: md5_number(x))
            ) end
        ) as members_md5
    from records
)

select
    source, page, ordinal, group_id, usable_id(group_id) is not null as has_id, group_name,
    -- null if the source does not list the members
    member_count,
    members_md5,
    -- Pages overlap when the list changes while it is read. The first record of each group is kept.
    row_number() over (partition by source, group_id order by page, ordinal) = 1 as is_first
from fields
