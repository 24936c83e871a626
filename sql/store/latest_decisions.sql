-- The decisions after a number, newest first
-- $after: number of the last decision that is known already; 0 for none
-- $limit: number of decisions to return
select
    decisions.*, items.name as access, items.entitlement_type, items.card_id, cards.name as person
from decisions
join items on items.item_id = decisions.item_id
join cards on cards.card_id = items.card_id
where decisions.sequence > $after
order by decisions.sequence desc
limit $limit
