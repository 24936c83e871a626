-- Is an extract proven complete (FULL) or not (PARTIAL), and why not?
-- $snapshot_id: the extract
with

-- An explanation is a sentence of its own; here it is part of one.
numbered_reasons as (
    select
        source,
        regexp_replace(reason, '\.$', '') as reason,
        row_number() over (order by step, source, check_id, reason) as place
    from meta.incomplete_sources
    where snapshot_id = $snapshot_id
),

distinct_reasons as (
    select source, reason, min(place) as place from numbered_reasons group by source, reason
),

source_reasons as (
    select
        'source ''' || source || ''': ' || string_agg(reason, '; ' order by place) as reason,
        min(place) as place
    from distinct_reasons
    group by source
)

select
    case when count(*) = 0 then 'FULL' else 'PARTIAL' end as completeness,
    string_agg(reason, '; ' order by place) as reason
from source_reasons
