/*
summary = "No entitlement id came with two different records."
reads   = ["meta.sources", "raw.file_entitlements"]
gate    = true
*/
with

distinct_ids as (
    select source, payload ->> '$.entitlement_id' as entitlement_id,
        min(payload::varchar) <> max(payload::varchar) as is_conflicting
    from raw.file_entitlements
    where snapshot_id = $snapshot_id and is_accepted
    group by source, entitlement_id
),

totals as (
    select source, count(*) as ids, count(*) filter (where is_conflicting) as conflicting,
        list_sort(list(entitlement_id) filter (where is_conflicting)) as named
    from distinct_ids
    group by source
)

select
    sources.source,
    '0' as expected,
    coalesce(totals.conflicting, 0)::varchar as observed,
    coalesce(totals.conflicting, 0) as difference,
    case when coalesce(totals.conflicting, 0) = 0 then 'PASS' else 'FAIL' end as result,
    case
        when coalesce(totals.conflicting, 0) = 0
            then counted(coalesce(totals.ids, 0), 'entitlement') || ' checked: no id came with two different records.'
        else counted(totals.conflicting, 'entitlement id')
            || case when totals.conflicting = 1 then ' is' else ' are each' end || ' on several lines that differ: '
            || array_to_string(totals.named[1:3], ', ')
            || case when totals.conflicting > 3 then ' and ' || (totals.conflicting - 3) || ' more' else '' end || '.'
    end as explanation
from meta.sources as sources
left join totals on totals.source = sources.source
where sources.snapshot_id = $snapshot_id and sources.kind = 'files'
