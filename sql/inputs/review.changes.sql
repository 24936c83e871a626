-- Which changes does a build know, and which of their verifications?
-- $snapshot_id: the snapshot of the build; what it or a later one shows is not known to it
-- $finished_at: when that extract ended; what happened later is not known to the build
select
    * replace (
        case when verified_snapshot_id < $snapshot_id then verified_state end as verified_state,
        case when verified_snapshot_id < $snapshot_id then verified_at end as verified_at,
        case when verified_snapshot_id < $snapshot_id then verified_snapshot_id end as verified_snapshot_id
    )
from review.changes
where applied_at <= $finished_at
