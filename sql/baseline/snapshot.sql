-- Which build of the baseline does history hold? No row: the snapshot was never built.
-- $baseline_snapshot_id: the snapshot compared with
select snapshots.snapshot_id, builds.build_id, builds.as_of, snapshots.finished_at
from meta.snapshots as snapshots
join (select distinct snapshot_id, build_id from history.accounts) as published
    on published.snapshot_id = snapshots.snapshot_id
join meta.builds as builds on builds.build_id = published.build_id
where snapshots.snapshot_id = $baseline_snapshot_id
