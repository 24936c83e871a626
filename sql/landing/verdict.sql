-- Is an extract proven complete (FULL) or not (PARTIAL), and why not?
-- $snapshot_id: the extract
with

failed_sources as (
    select source, error from meta.sources where snapshot_id = $snapshot_id and error <> ''
),

-- A caller whose role cannot be read counts as seeing every account only where the source's own count agrees. Okta
-- counts nothing: there, two readings that agree take the place of the count.
unproven_callers as (
    select caller.source, caller.explanation
    from meta.reconciliation as caller
    where
        caller.snapshot_id = $snapshot_id and caller.check_id = 'caller_sees_everyone'
        and caller.result = 'NOT_AVAILABLE'
        and not exists (
            select 1 from meta.reconciliation as counted
            join meta.sources as sources
                on sources.snapshot_id = counted.snapshot_id and sources.source = counted.source
            where
                counted.snapshot_id = $snapshot_id and counted.source = caller.source
                and counted.check_id in ('count_agrees', 'sweeps_agree') and counted.result = 'PASS'
                and (counted.check_id = 'count_agrees' or sources.kind = 'okta')
        )
),

unproven_ends as (
    select sources.source
    from meta.sources as sources
    left join meta.reconciliation as checks
        on checks.snapshot_id = sources.snapshot_id and checks.source = sources.source
        and checks.check_id = 'end_proven' and checks.result = 'PASS'
    where sources.snapshot_id = $snapshot_id and coalesce(sources.error, '') = '' and checks.source is null
),

reasons as (
    select 1 as step, source, '' as check_id, error as reason from failed_sources
    union all
    select 2, source, check_id, explanation
    from meta.reconciliation
    where snapshot_id = $snapshot_id and is_gate and result = 'FAIL'
    union all
    select 3, source, '', explanation from unproven_callers
    union all
    select 4, source, '', 'the end of the list of users was not proven' from unproven_ends
),

numbered_reasons as (
    select
        'source ''' || source || ''': ' || reason as reason,
        row_number() over (order by step, source, check_id, reason) as place
    from reasons
),

distinct_reasons as (
    select reason, min(place) as place from numbered_reasons group by reason
)

select
    case when count(*) = 0 then 'FULL' else 'PARTIAL' end as completeness,
    string_agg(reason, '; ' order by place) as reason
from distinct_reasons
