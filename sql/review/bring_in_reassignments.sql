-- Adds reassignments that are not there yet, and returns the number that each got on its item
-- $campaign: the campaign's name
-- $rows: the reassignments in order, as a list of objects in JSON
-- $imported_at: now
insert into review.reassignments by name
with

incoming as (
    select unnest(
        from_json($rows, '[{
            "sequence": "bigint", "reassignment_id": "varchar", "item_id": "varchar", "from_email": "varchar",
            "to_email": "varchar", "reason": "varchar", "reassigned_by": "varchar", "reassigned_at": "timestamp"
        }]'),
        recursive := true
    )
),

last_numbers as (
    select item_id, max(sequence) as sequence from review.reassignments where campaign = $campaign group by item_id
)

select
    $campaign as campaign, incoming.item_id,
    coalesce(last_numbers.sequence, 0) + row_number() over (
        partition by incoming.item_id order by incoming.sequence
    ) as sequence,
    incoming.reassignment_id, incoming.from_email, incoming.to_email, incoming.reason, incoming.reassigned_by,
    incoming.reassigned_at, $imported_at::timestamp as imported_at
from incoming
left join last_numbers on last_numbers.item_id = incoming.item_id
where incoming.reassignment_id not in (select reassignment_id from review.reassignments where campaign = $campaign)
returning sequence
