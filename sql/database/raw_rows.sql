-- Of which snapshots does a table of raw not have the records that the page log counts?
-- $table: the table, as raw.users
-- $resource: its name in the page log, as users
with

logged as (
    select snapshot_id, source, sum(items) as records from meta.pages where resource = $resource group by all
),

stored as (
    select snapshot_id, source, count(*) as records from query_table($table) group by all
)

select
    $table as place,
    'snapshot ' || snapshots.snapshot_id || ' has ' || counted(coalesce(stored.records, 0), 'row') || ' of '
    || coalesce(stored.source, logged.source) || '; its page log counts ' || grouped(coalesce(logged.records, 0))
    as problem
from logged
full join stored on stored.snapshot_id = logged.snapshot_id and stored.source = logged.source
join meta.snapshots as snapshots on snapshots.snapshot_id = coalesce(stored.snapshot_id, logged.snapshot_id)
where snapshots.pruned_at is null and coalesce(stored.records, 0) <> coalesce(logged.records, 0)
order by snapshots.snapshot_id
