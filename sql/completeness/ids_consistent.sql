/*
summary = "No user id came with two different contents."
reads   = ["landed.users", "meta.sources"]
gate    = true
*/
with

contents as (
    select source, account_id, min(content_hash) <> max(content_hash) as is_conflicting
    from landed.users
    where account_id is not null
    group by source, account_id
),

totals as (
    select source, count(*) as ids, count(*) filter (where is_conflicting) as conflicting
    from contents
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
            then 'Each of ' || coalesce(totals.ids, 0) || ' ids came with one content.'
        else totals.conflicting || ' ids came with two contents: records changed while they were read.'
    end as explanation
from meta.sources as sources
left join totals on totals.source = sources.source
where sources.snapshot_id = $snapshot_id
