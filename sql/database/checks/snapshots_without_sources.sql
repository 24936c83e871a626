-- Which snapshots do not say what they were extracted from?
select 'meta.snapshots' as place, 'snapshot ' || snapshots.snapshot_id || ' has no row in meta.sources' as problem
from meta.snapshots as snapshots
anti join meta.sources as sources on sources.snapshot_id = snapshots.snapshot_id
order by snapshots.snapshot_id
