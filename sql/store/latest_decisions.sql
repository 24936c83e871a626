-- The decisions between two numbers, newest first
-- $after: a lower number; 0 for all
-- $before: a higher number, or null for all
-- $limit: number of decisions to return
select
    decisions.*, items.name as access, items.entitlement_type, items.card_id, cards.name as person
from decisions
join items on items.item_id = decisions.item_id
join cards on cards.card_id = items.card_id
where decisions.sequence > $after and ($before is null or decisions.sequence < $before)
order by decisions.sequence desc
limit $limit
