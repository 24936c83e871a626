-- Which findings were first seen in a snapshot that the database does not know?
select
    'history.register' as place,
    counted(count(*), 'finding') || ' first seen in the unknown snapshot ' || register.first_seen_snapshot_id as problem
from history.register as register
anti join meta.snapshots as snapshots on snapshots.snapshot_id = register.first_seen_snapshot_id
where register.first_seen_snapshot_id is not null
group by register.first_seen_snapshot_id
order by register.first_seen_snapshot_id
