/*
summary = "Where the ranges of two adjacent shards overlap, both contain the same users."
reads   = ["meta.shards", "raw.users"]
gate    = true
*/
with

shards as (
    select
        source, number, first_id, last_id, pages_before,
        lead(pages_before) over (partition by source order by number) as last_page,
        lead(first_id) over (partition by source order by number) as next_first_id,
        lag(last_id) over (partition by source order by number) as previous_last_id
    from meta.shards
    where snapshot_id = $snapshot_id and shard_count > 0
),

-- Users of the ranges that a shard shares with its neighbours. A boundary has the number of the shard that ends there.
shared_users as (
    select
        users.source, users.payload ->> '$._id' as account_id, shards.number,
        (users.payload ->> '$._id') >= shards.next_first_id as is_shared_with_next,
        (users.payload ->> '$._id') <= shards.previous_last_id as is_shared_with_previous
    from raw.users as users
    join shards on shards.source = users.source and users.page > shards.pages_before and users.page <= coalesce(shards.last_page, users.page)
    where
        users.snapshot_id = $snapshot_id and users.is_accepted
        and ((users.payload ->> '$._id') >= shards.next_first_id or (users.payload ->> '$._id') <= shards.previous_last_id)
),

sides as (
    select source, number as boundary, account_id, 'before' as side from shared_users where is_shared_with_next
    union all
    select source, number - 1, account_id, 'after' from shared_users where is_shared_with_previous
),

shared_ids as (
    select source, boundary, account_id, count(distinct side) as side_count from sides group by source, boundary, account_id
),

counts as (
    select source, count(*) as shared_count, count(*) filter (where side_count = 1) as differing from shared_ids group by source
)

select
    sources.source,
    coalesce(counts.shared_count, 0)::varchar as expected,
    coalesce(counts.shared_count - counts.differing, 0)::varchar as observed,
    -coalesce(counts.differing, 0) as difference,
    case when coalesce(counts.differing, 0) = 0 then 'PASS' else 'FAIL' end as result,
    case
        when coalesce(counts.differing, 0) = 0
            then counted(coalesce(counts.shared_count, 0), 'user') || ' of adjacent shards compared: both have the same.'
        else counted(counts.differing, 'user') || ' of the range that two shards share came in one of them only: '
            || 'the list changed between the extracts.'
    end as explanation
from (select distinct source from shards) as sources
left join counts on counts.source = sources.source
