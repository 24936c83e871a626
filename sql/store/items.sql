-- The items of one reviewer on one card, with the answers that hold
-- $reviewer: the reviewer's e-mail address
-- $cards: the ids of the cards, as a list in JSON
select
    items.*, decisions.decision, decisions.reason, decisions.target_role, decisions.defer_until, decisions.approver,
    decisions.expires_on, decisions.reviewer as decided_by, decisions.method, decisions.is_bulk, decisions.decided_at
from items
left join decisions on decisions.sequence = items.held
where items.reviewer = $reviewer and items.card_id in (select value from json_each($cards))
order by items.position
