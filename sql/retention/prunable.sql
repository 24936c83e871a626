-- Which snapshots are old enough to prune and not needed any more?
-- $before: snapshots that ended before this moment (UTC) are old enough
-- $watched_only: true limits them to snapshots that watch made and that no report shows or compares with
with

needed_snapshots as (
    -- the snapshots that the current reports show and compare with
    select snapshot_id from reference.snapshot
    union all
    select snapshot_id from baseline.snapshot
    union all
    -- the snapshots that campaigns review
    select snapshot_id from review.campaigns
    union all
    select max(snapshot_id) from meta.snapshots
    union all
    -- the last report: the next one says what changed since
    select max(reports.snapshot_id)
    from meta.reports as reports
    join meta.snapshots as snapshots on snapshots.snapshot_id = reports.snapshot_id
    where snapshots.completeness = 'FULL'
    union all
    -- the newest complete snapshot of each source: its next snapshot is compared with it
    select max(sources.snapshot_id)
    from meta.sources as sources
    join meta.snapshots as snapshots on snapshots.snapshot_id = sources.snapshot_id
    where snapshots.completeness = 'FULL'
    group by sources.source
    union all
    -- the snapshots from which the next events are derived
    select snapshot_id from meta.last_compared
    union all
    select snapshot_id from meta.last_evaluated
),

reported_snapshots as (
    select snapshot_id from meta.reports
    union all
    select builds.baseline_snapshot_id
    from meta.reports as reports
    join meta.builds as builds on builds.build_id = reports.build_id
    where builds.baseline_snapshot_id is not null
)

select snapshots.snapshot_id
from meta.snapshots as snapshots
anti join needed_snapshots on needed_snapshots.snapshot_id = snapshots.snapshot_id
where
    snapshots.finished_at < $before and snapshots.pruned_at is null
    and (
        not $watched_only
        or (
            snapshots.snapshot_id in (select snapshot_id from meta.watched)
            and snapshots.snapshot_id not in (select snapshot_id from reported_snapshots)
        )
    )
order by snapshots.snapshot_id
