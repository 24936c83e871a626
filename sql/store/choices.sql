-- What the cards of one reviewer can be filtered by: departments, roles and groups
-- $reviewer: the reviewer's e-mail address
select distinct 'department' as kind, cards.department as name
from cards
where cards.department is not null
    and exists (select 1 from items where items.card_id = cards.card_id and items.reviewer = $reviewer)
union all
select distinct entitlement_type, name from items where reviewer = $reviewer
order by kind, name
