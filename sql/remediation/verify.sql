-- Records what the current build shows of a change
-- $change_id: the change
-- $verified_state: removed_verified, still_present, reappeared or not_verifiable
update review.changes
set
    verified_state = $verified_state,
    verified_snapshot_id = (select snapshot_id from reference.snapshot),
    verified_at = (select finished_at from reference.snapshot)
where change_id = $change_id
