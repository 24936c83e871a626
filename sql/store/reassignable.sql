-- The items of a reviewer that can be handed over, and what keeps another one from taking them
-- $reviewer: the reviewer's e-mail address
-- $items: ids of items, as a list in JSON; null for all that are open
-- $taker: e-mail address of the next reviewer
select
    items.item_id, items.name as access, cards.name as person,
    exists (select 1 from ineligible where item_id = items.item_id and address = $taker) as is_holder,
    exists (select 1 from ineligible where item_id is null and address = $taker) as is_leaver
from items
join cards on cards.card_id = items.card_id
where items.reviewer = $reviewer
    and case when $items is null then items.held is null else items.item_id in (select value from json_each($items)) end
order by items.position
