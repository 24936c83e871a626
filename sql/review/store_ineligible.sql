-- Addresses that may not review an item: those of its holder, and those of people who have left, for which item_id is null
-- $campaign: the campaign's name
select items.item_id, own.address
from review.items as items
join temp.person_addresses as own on own.person_id = items.person_id
where items.campaign = $campaign
union
select item_id, match_key(email) from review.items where campaign = $campaign and email is not null
union
select item_id, match_key(user_name) from review.items where campaign = $campaign and user_name is not null
union
select null, address from temp.person_addresses where is_leaver
