/*
summary = "The population is not more than a tenth below that of the previous complete extract."
reads   = ["meta.sources", "meta.snapshots", "meta.reconciliation", "landed.users"]
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
    select source, count(distinct account_id) as id_count from landed.users group by source
),

-- What this check observed then: the count stays when the rows of an old extract are pruned.
earlier as (
    select previous.source, cast(reconciliation.observed as bigint) as id_count
    from previous
    join meta.reconciliation as reconciliation
        on reconciliation.snapshot_id = previous.snapshot_id and reconciliation.source = previous.source
        and reconciliation.check_id = 'population_steady'
),

compared as (
    select sources.source, earlier.id_count as before_count, coalesce(counts.id_count, 0) as now_count
    from meta.sources as sources
    left join counts on counts.source = sources.source
    left join earlier on earlier.source = sources.source
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
