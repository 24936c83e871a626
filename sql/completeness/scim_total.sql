/*
summary = "The SCIM endpoint beside the source tells of as many users as its REST API."
reads   = ["meta.sources", "meta.pages", "raw.users", "raw.scim_users"]
gate    = false
*/
with

by_rest as (
    select source, count(distinct payload ->> '$._id') as user_count
    from raw.users
    where snapshot_id = $snapshot_id and is_accepted
    group by source
),

by_scim as (
    select source, count(distinct payload ->> '$.id') as user_count
    from raw.scim_users
    where snapshot_id = $snapshot_id and is_accepted
    group by source
),

-- An endpoint that tells of nobody has answers, and no record that could be accepted.
read_by_scim as (
    select source
    from meta.pages
    where snapshot_id = $snapshot_id and resource = 'scim_users' and status = 200
    group by source
    having bool_or(is_accepted) or sum(items) = 0
)

select
    sources.source,
    by_rest.user_count::varchar as expected,
    case when read_by_scim.source is not null then coalesce(by_scim.user_count, 0) end::varchar as observed,
    case when read_by_scim.source is not null then coalesce(by_scim.user_count, 0) end - by_rest.user_count as difference,
    case
        when read_by_scim.source is null or by_rest.user_count is null then 'NOT_AVAILABLE'
        when coalesce(by_scim.user_count, 0) = by_rest.user_count then 'PASS'
        else 'FAIL'
    end as result,
    case
        when read_by_scim.source is null then 'No SCIM endpoint was read beside the source.'
        when by_rest.user_count is null then 'The source was read by SCIM alone.'
        else 'REST tells of ' || by_rest.user_count || ' users, SCIM of ' || coalesce(by_scim.user_count, 0) || '.'
    end as explanation
from meta.sources as sources
left join by_rest on by_rest.source = sources.source
left join by_scim on by_scim.source = sources.source
left join read_by_scim on read_by_scim.source = sources.source
where sources.snapshot_id = $snapshot_id
