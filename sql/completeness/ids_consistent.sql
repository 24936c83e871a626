/*
summary = "No user id came with two different records."
reads   = ["landed.users", "meta.sources"]
gate    = true
*/
with

distinct_ids as (
    select source, account_id, min(content_hash) <> max(content_hash) as is_conflicting
    from landed.users
    where account_id is not null
    group by source, account_id
),

totals as (
    select source, count(*) as ids, count(*) filter (where is_conflicting) as conflicting,
        list_sort(list(account_id) filter (where is_conflicting)) as named
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
            then counted(coalesce(totals.ids, 0), 'id') || ' checked: no id came with two different records.'
        when sources.kind = 'files'
            then counted(totals.conflicting, 'account id')
                || case when totals.conflicting = 1 then ' is' else ' are each' end || ' on several lines that differ: '
                || array_to_string(totals.named[1:3], ', ')
                || case when totals.conflicting > 3 then ' and ' || (totals.conflicting - 3) || ' more' else '' end || '.'
        else counted(totals.conflicting, 'id') || ' came with different records, which changed during the extract.'
    end as explanation
from meta.sources as sources
left join totals on totals.source = sources.source
where sources.snapshot_id = $snapshot_id
