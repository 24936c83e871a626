-- Hands an item over; the earlier reassignments stay
-- $reassignment_id: its random id
-- $item_id: the item
-- $from_email: the reviewer before
-- $to_email: the reviewer from then on
-- $reason: why
-- $reassigned_by: who hands it over
-- $reassigned_at: now
insert into reassignments (reassignment_id, item_id, from_email, to_email, reason, reassigned_by, reassigned_at)
values ($reassignment_id, $item_id, $from_email, $to_email, $reason, $reassigned_by, $reassigned_at)
