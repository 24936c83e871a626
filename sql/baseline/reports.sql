-- Which earlier snapshots does the trend of a build show? The last eight that are complete and were reported.
-- $snapshot_id: the snapshot being built
select
    snapshots.snapshot_id,
    date_trunc('second', snapshots.finished_at) as read_at,
    -- A pruned snapshot has no findings left to compare with, only its figures.
    exists (select 1 from history.accounts as accounts where accounts.snapshot_id = snapshots.snapshot_id) as has_findings
from meta.snapshots as snapshots
where
    snapshots.snapshot_id < $snapshot_id and snapshots.completeness = 'FULL'
    and snapshots.snapshot_id in (select reports.snapshot_id from meta.reports as reports)
    and snapshots.snapshot_id in (select trend.snapshot_id from history.trend as trend)
order by snapshots.snapshot_id desc
limit 8
