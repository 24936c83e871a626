/*
summary = "Every user record has an id that is text or a whole number."
reads   = ["landed.users", "meta.sources"]
gate    = true
*/
with

records as (
    select source, count(*) as row_count, count(*) filter (where not has_id) as without_id
    from landed.users
    group by source
)

select
    sources.source,
    coalesce(records.row_count, 0)::varchar as expected,
    (coalesce(records.row_count, 0) - coalesce(records.without_id, 0))::varchar as observed,
    -coalesce(records.without_id, 0) as difference,
    case when coalesce(records.without_id, 0) = 0 then 'PASS' else 'FAIL' end as result,
    case
        when coalesce(records.without_id, 0) = 0 then 'Every user record has an id.'
        else records.without_id || ' user records have no usable id, so nobody can say whose they are.'
    end as explanation
from meta.sources as sources
left join records on records.source = sources.source
where sources.snapshot_id = $snapshot_id
