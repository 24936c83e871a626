-- What the cards of one reviewer can be filtered by: departments, roles and groups
-- $reviewer: the reviewer's e-mail address
select distinct 'department' as kind, cards.department as name
from cards
join items on items.card_id = cards.card_id
where items.reviewer = $reviewer and cards.department is not null
union
select entitlement_type, name from items where reviewer = $reviewer
order by kind, name
