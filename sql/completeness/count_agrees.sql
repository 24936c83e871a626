/*
summary = "The source's own count equals the number of distinct user ids that were read."
reads   = ["meta.sources", "landed.accounts"]
gate    = true
*/
with

id_counts as (
    select source, count(*) as id_count from landed.accounts group by source
),

source_counts as (
    select
        sources.source, coalesce(sources.users_after, sources.users_before) as server_count,
        coalesce(id_counts.id_count, 0) as id_count
    from meta.sources as sources
    left join id_counts on id_counts.source = sources.source
    -- The rows of a file are compared with its manifest; a line that stands twice is one account.
    where sources.snapshot_id = $snapshot_id and sources.kind <> 'files'
)

select
    source,
    server_count::varchar as expected,
    id_count::varchar as observed,
    id_count - server_count as difference,
    case when server_count is null then 'NOT_AVAILABLE' when server_count = id_count then 'PASS' else 'FAIL' end as result,
    case
        when server_count is null then 'The source does not count its users; ' || id_count || ' were read.'
        when server_count = id_count then 'The source counts ' || counted(server_count, 'user') || ', and the same number were read.'
        else 'The source counts ' || counted(server_count, 'user') || ', but ' || id_count || ' were read.'
    end as explanation
from source_counts
