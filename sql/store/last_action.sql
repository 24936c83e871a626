-- The decisions of a reviewer's last step on the page that still hold, each with the answer before it
-- $reviewer: the reviewer's e-mail address
-- The index on reviewer and sequence finds the last step without looking at the others: nothing is materialized, and the
-- plus sign keeps SQLite from looking for all decisions that take none back.
with

-- Taken back, or taking back: neither can be taken back again.
standing_decisions as not materialized (
    select *
    from decisions
    where +undoes is null and not exists (select 1 from decisions as undo where undo.undoes = decisions.decision_id)
),

own_decisions as not materialized (
    select standing.*
    from standing_decisions as standing
    where standing.reviewer = $reviewer and standing.method <> 'file'
        and exists (select 1 from items where items.item_id = standing.item_id and items.reviewer = $reviewer)
        and not exists (
            select 1 from standing_decisions as later
            where later.item_id = standing.item_id and later.sequence > standing.sequence
        )
),

last_steps as materialized (
    select action_id from own_decisions order by sequence desc limit 1
)

select
    own.decision_id as undoes, own.item_id, own.action_id as step_id, own.decision as last_decision,
    own.is_bulk as is_last_bulk, items.name, cards.name as person, earlier.decision, earlier.reason, earlier.target_role,
    earlier.defer_until, earlier.approver, earlier.expires_on, earlier.is_bulk
from last_steps
join own_decisions as own on own.action_id = last_steps.action_id
join items on items.item_id = own.item_id
join cards on cards.card_id = items.card_id
left join decisions as earlier on earlier.sequence = (
    select max(before.sequence) from standing_decisions as before
    where before.item_id = own.item_id and before.sequence < own.sequence
)
order by own.sequence
