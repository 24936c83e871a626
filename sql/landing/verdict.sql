-- Is an extract proven complete (FULL) or not (PARTIAL), and why not?
-- $snapshot_id: the extract
with

numbered_reasons as (
    select
        'source ''' || source || ''': ' || reason as reason,
        row_number() over (order by step, source, check_id, reason) as place
    from meta.incomplete_sources
    where snapshot_id = $snapshot_id
),

distinct_reasons as (
    select reason, min(place) as place from numbered_reasons group by reason
)

select
    case when count(*) = 0 then 'FULL' else 'PARTIAL' end as completeness,
    string_agg(reason, '; ' order by place) as reason
from distinct_reasons
