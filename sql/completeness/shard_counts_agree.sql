/*
summary = "The source counted the same number of users before and after each of its shards was read."
reads   = ["meta.shards"]
gate    = true
*/
with

counts as (
    select source, unnest([users_before, users_after]) as user_count
    from meta.shards
    where snapshot_id = $snapshot_id and shard_count > 0
),

ranges as (
    select source, min(user_count) as least, max(user_count) as most, count(*) filter (where user_count is null) as missing
    from counts
    group by source
)

select
    source,
    least::varchar as expected,
    most::varchar as observed,
    most - least as difference,
    case when least = most and missing = 0 then 'PASS' else 'FAIL' end as result,
    case
        when coalesce(missing, 0) > 0 then 'A count before or after a shard is missing.'
        when least = most then 'The source counted ' || counted(least, 'user') || ' before and after each shard.'
        else 'The source counted between ' || least || ' and ' || counted(most, 'user') || ': the list changed between the shards.'
    end as explanation
from ranges
