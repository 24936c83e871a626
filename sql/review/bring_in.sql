-- Adds decisions that are not there yet, and returns the number that each got on its item; earlier decisions stay
-- $campaign: the campaign's name
-- $rows: the decisions in order, as a list of objects in JSON
-- $imported_at: now
insert into review.decisions by name
with

incoming as (
    select unnest(
        from_json($rows, '[{
            "sequence": "bigint", "decision_id": "varchar", "item_id": "varchar", "decision": "varchar",
            "reason": "varchar", "target_role": "varchar", "defer_until": "date", "approver": "varchar",
            "expires_on": "date", "reviewer": "varchar", "method": "varchar", "is_bulk": "boolean",
            "decided_from": "varchar", "decided_at": "timestamp", "undoes": "varchar", "file_name": "varchar",
            "file_sha256": "varchar"
        }]'),
        recursive := true
    )
),

known_decisions as (
    select item_id, sequence, coalesce(decision_id, 'file-' || item_id || '-' || sequence) as decision_id
    from review.decisions
    where campaign = $campaign
),

last_numbers as (
    select item_id, max(sequence) as sequence from known_decisions group by item_id
)

select
    $campaign as campaign, incoming.item_id,
    coalesce(last_numbers.sequence, 0) + row_number() over (
        partition by incoming.item_id order by incoming.sequence
    ) as sequence,
    incoming.decision, incoming.reason, incoming.target_role, incoming.defer_until, incoming.approver,
    incoming.expires_on, incoming.reviewer as reviewer_email, incoming.decided_at, $imported_at::timestamp as imported_at,
    incoming.file_name, incoming.file_sha256, incoming.decision_id, incoming.method, incoming.is_bulk,
    incoming.decided_from, incoming.undoes
from incoming
left join last_numbers on last_numbers.item_id = incoming.item_id
where incoming.decision_id not in (select decision_id from known_decisions)
returning sequence
