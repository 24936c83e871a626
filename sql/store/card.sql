-- One card of a reviewer
-- $reviewer: the reviewer's e-mail address
-- $card_id: the card
select cards.*
from cards
where cards.card_id = $card_id
    and exists (select 1 from items where items.card_id = cards.card_id and items.reviewer = $reviewer)
