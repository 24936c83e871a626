/*
summary = "The source has at least 90 % as many accounts as in the previous complete extract."
reads   = ["meta.sources", "meta.snapshots", "meta.reconciliation", "landed.accounts"]
*/
with

previous_snapshots as (
    select sources.source, max(sources.snapshot_id) as snapshot_id
    from meta.sources as sources
    join meta.snapshots as snapshots on snapshots.snapshot_id = sources.snapshot_id
    where sources.snapshot_id < $snapshot_id and snapshots.completeness = 'FULL'
    group by sources.source
),

counts as (
    select source, count(*) as id_count from landed.accounts group by source
),

-- The count comes from the result of this check at the time, because the rows of old snapshots may have been pruned.
previous_counts as (
    select previous.source, cast(reconciliation.observed as bigint) as id_count
    from previous_snapshots as previous
    join meta.reconciliation as reconciliation
        on reconciliation.snapshot_id = previous.snapshot_id and reconciliation.source = previous.source
        and reconciliation.check_id = 'population_steady'
),

source_counts as (
    select sources.source, previous.id_count as previous_count, coalesce(counts.id_count, 0) as current_count
    from meta.sources as sources
    left join counts on counts.source = sources.source
    left join previous_counts as previous on previous.source = sources.source
    where sources.snapshot_id = $snapshot_id
)

select
    source,
    previous_count::varchar as expected,
    current_count::varchar as observed,
    current_count - previous_count as difference,
    case when previous_count is null then 'NOT_AVAILABLE' when current_count < 0.9 * previous_count then 'FAIL' else 'PASS' end
        as result,
    case
        when previous_count is null then 'There is no earlier complete extract of this source.'
        when current_count < 0.9 * previous_count
            then 'The source had ' || counted(previous_count, 'account') || ' and now has ' || current_count || ': find out why.'
        else 'The source had ' || counted(previous_count, 'account') || ' and now has ' || current_count || '.'
    end as explanation
from source_counts
