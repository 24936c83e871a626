-- One item, with the answer that holds
-- $item_id: the item
select
    items.*, decisions.decision, decisions.reason, decisions.target_role, decisions.defer_until, decisions.approver,
    decisions.expires_on, decisions.reviewer as decided_by, decisions.method, decisions.is_bulk, decisions.decided_at
from items
left join decisions on decisions.sequence = items.held
where items.item_id = $item_id
