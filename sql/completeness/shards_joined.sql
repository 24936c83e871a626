/*
summary = "The shards of a source are complete, and their ranges of ids leave no gap."
reads   = ["meta.shards"]
gate    = true
*/
with

shards as (
    select
        source, number, shard_count, failed_checks, part_snapshot_id,
        number > 1 and coalesce(first_id > lag(last_id) over (partition by source order by number), true) as is_behind_gap
    from meta.shards
    where snapshot_id = $snapshot_id and shard_count > 0
),

counts as (
    select
        source, max(shard_count) as shard_count, count(*) as read_count,
        string_agg(number || ' (' || failed_checks || ')', ', ' order by number) filter (where failed_checks <> '') as failed,
        string_agg(number, ', ' order by number) filter (where is_behind_gap) as behind_gaps,
        count(*) filter (where failed_checks <> '' or is_behind_gap) as unfit_count
    from shards
    group by source
)

select
    source,
    shard_count::varchar as expected,
    (read_count - unfit_count)::varchar as observed,
    read_count - unfit_count - shard_count as difference,
    case when unfit_count = 0 and read_count = shard_count then 'PASS' else 'FAIL' end as result,
    case
        when failed <> '' then 'These shards are not complete themselves: ' || failed || '.'
        when behind_gaps <> ''
            then 'There may be accounts between the shard before and these shards, because the list changed between the '
                || 'extracts: ' || behind_gaps || '.'
        when read_count <> shard_count then 'There are ' || counted(read_count, 'shard') || ' instead of ' || shard_count || '.'
        else counted(shard_count, 'shard') || ', each complete. Each begins at or before the last id of the shard before.'
    end as explanation
from counts
