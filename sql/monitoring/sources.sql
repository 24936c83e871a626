-- When was each source last read whole, and how many requests did its extracts take?
with

whole as (
    select sources.source, max(snapshots.finished_at) as complete_at
    from meta.sources as sources
    join meta.snapshots as snapshots on snapshots.snapshot_id = sources.snapshot_id
    anti join meta.incomplete_sources as incomplete
        on incomplete.snapshot_id = sources.snapshot_id and incomplete.source = sources.source
    group by sources.source
),

traffic as (
    select source, sum(attempts) as requests, sum(attempts - 1) as retries
    from meta.pages
    group by source
)

select sources.source, whole.complete_at, coalesce(traffic.requests, 0) as requests, coalesce(traffic.retries, 0) as retries
from (select distinct source from meta.sources) as sources
left join whole on whole.source = sources.source
left join traffic on traffic.source = sources.source
order by sources.source
