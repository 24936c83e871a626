-- What is the row of meta.sources for a source of a merged snapshot? The first shard's, with the counts and times of all.
-- $snapshot_id: the merged snapshot
-- $part: the snapshot that the first shard is in
-- $source: its source
with

-- "part_sources" is given by the program: the table meta.sources of the database that has the first shard.
totals as (
    select
        first(users_before order by started_at, number) as users_before,
        first(users_after order by finished_at desc, number) as users_after,
        min(started_at) as started_at, max(finished_at) as finished_at,
        string_agg(error, '; ' order by number) as error
    from meta.shards
    where snapshot_id = $snapshot_id and source = $source
)

select
    $snapshot_id as snapshot_id,
    sources.* exclude (snapshot_id) replace (
        totals.users_before as users_before, totals.users_after as users_after, totals.started_at as started_at,
        totals.finished_at as finished_at, totals.error as error
    )
from part_sources as sources
cross join totals
where sources.snapshot_id = $part and sources.source = $source
