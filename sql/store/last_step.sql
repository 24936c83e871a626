-- The newest decision of a reviewer on the page that holds
-- $reviewer: the reviewer's e-mail address
select decisions.decision, items.name, cards.name as person, decisions.is_bulk
from decisions
join items on items.held = decisions.sequence and items.item_id = decisions.item_id
join cards on cards.card_id = items.card_id
where decisions.reviewer = $reviewer and items.reviewer = $reviewer and decisions.method <> 'file'
order by decisions.sequence desc
limit 1
