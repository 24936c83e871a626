-- Which rows of a table name a snapshot that the database does not know?
-- $table: the table, as raw.users
select $table as place, counted(count(*), 'row') || ' of the unknown snapshot ' || named.snapshot_id as problem
from query_table($table) as named
anti join meta.snapshots as snapshots on snapshots.snapshot_id = named.snapshot_id
where named.snapshot_id is not null
group by named.snapshot_id
order by named.snapshot_id
