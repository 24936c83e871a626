/*
summary = "The population is not more than a tenth below that of the previous complete extract."
reads   = ["meta.sources", "meta.snapshots", "raw.users"]
*/
with

previous as (
    select sources.source, max(sources.snapshot_id) as snapshot_id
    from meta.sources as sources
    join meta.snapshots as snapshots on snapshots.snapshot_id = sources.snapshot_id
    where sources.snapshot_id < $snapshot_id and snapshots.completeness = 'FULL'
    group by sources.source
),

counts as (
    select snapshot_id, source, count(distinct payload ->> '$._id') as id_count
    from raw.users
    where is_accepted and snapshot_id in (select snapshot_id from previous union all select $snapshot_id)
    group by snapshot_id, source
),

compared as (
    select sources.source, before.id_count as before_count, coalesce(now.id_count, 0) as now_count
    from meta.sources as sources
    left join counts as now on now.source = sources.source and now.snapshot_id = $snapshot_id
    left join previous on previous.source = sources.source
    left join counts as before on before.source = sources.source and before.snapshot_id = previous.snapshot_id
    where sources.snapshot_id = $snapshot_id
)

select
    source,
    before_count::varchar as expected,
    now_count::varchar as observed,
    now_count - before_count as difference,
    case when before_count is null then 'NOT_AVAILABLE' when now_count < 0.9 * before_count then 'FAIL' else 'PASS' end
        as result,
    case
        when before_count is null then 'There is no earlier complete extract of this source.'
        when now_count < 0.9 * before_count
            then 'There were ' || before_count || ' accounts and now there are ' || now_count || ': find out why.'
        else 'There were ' || before_count || ' accounts and now there are ' || now_count || '.'
    end as explanation
from compared
