-- Which changes does a build use, and which of their verifications?
-- $snapshot_id: the snapshot of the build; verifications against it or a later one are left out
-- $finished_at: when that extract ended; later changes are left out
select
    * replace (
        case when verified_snapshot_id < $snapshot_id then verified_state end as verified_state,
        case when verified_snapshot_id < $snapshot_id then verified_at end as verified_at,
        case when verified_snapshot_id < $snapshot_id then verified_snapshot_id end as verified_snapshot_id
    )
from review.changes
where applied_at <= $finished_at
