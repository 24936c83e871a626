-- The decisions of a reviewer's last step on the page that still hold, each with the answer before it
-- $reviewer: the reviewer's e-mail address
with

-- Taken back, or taking back: neither can be taken back again.
standing_decisions as (
    select decisions.*
    from decisions
    left join decisions as undo on undo.undoes = decisions.decision_id
    where decisions.undoes is null and undo.decision_id is null
),

own_decisions as (
    select standing.*
    from standing_decisions as standing
    join items on items.item_id = standing.item_id and items.reviewer = $reviewer
    where standing.reviewer = $reviewer and standing.method <> 'file'
        and not exists (
            select 1 from standing_decisions as later
            where later.item_id = standing.item_id and later.sequence > standing.sequence
        )
)

select
    own.decision_id as undoes, own.item_id, earlier.decision, earlier.reason, earlier.target_role, earlier.defer_until,
    earlier.approver, earlier.expires_on, earlier.is_bulk
from own_decisions as own
left join decisions as earlier on earlier.sequence = (
    select max(before.sequence) from standing_decisions as before
    where before.item_id = own.item_id and before.sequence < own.sequence
)
where own.action_id = (select action_id from own_decisions order by sequence desc limit 1)
order by own.sequence
