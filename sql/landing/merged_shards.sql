-- What does a merge keep of one part, to check it with the others?
-- $snapshot_id: the merged snapshot
-- $part: the snapshot that the part is in
-- $source: its source
-- $pages: the number of the last page before it
-- $number: the number of the shard, 1 for a whole source
-- $shard_count: how many shards there are, 0 for a whole source
-- $first_id: the first id of the shard
-- $last_id: the last id of the shard
with

-- "part_sources" and "part_checks" are given by the program: meta.sources and meta.reconciliation of the database that
-- has the part. A shard counts fewer accounts than the server does, and is alone: the merge repairs that.
failed_checks as (
    select string_agg(check_id, ', ' order by check_id) as failed_checks
    from part_checks
    where
        snapshot_id = $part and source = $source and is_gate and result = 'FAIL'
        and ($shard_count = 0 or check_id not in ('count_agrees', 'shard_alone'))
)

select
    $snapshot_id as snapshot_id, sources.source, $number::integer as number, $shard_count::integer as shard_count,
    $part as part_snapshot_id, nullif($first_id, '') as first_id, nullif($last_id, '') as last_id,
    $pages::integer as pages_before, sources.users_before, sources.users_after, sources.started_at,
    sources.finished_at, sources.error, failed_checks.failed_checks
from part_sources as sources
cross join failed_checks
where sources.snapshot_id = $part and sources.source = $source
