/*
summary = "No user id came with two different contents."
reads   = ["raw.users", "meta.sources"]
gate    = true
*/
with

contents as (
    select source, payload ->> '$._id' as account_id, count(distinct payload::varchar) as contents
    from raw.users
    where snapshot_id = $snapshot_id and is_accepted
    group by source, payload ->> '$._id'
),

totals as (
    select source, count(*) as ids, count(*) filter (where contents > 1) as conflicting
    from contents
    where account_id is not null
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
