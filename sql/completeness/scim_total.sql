/*
summary = "The SCIM endpoint and the REST API of the source return the same number of users."
reads   = ["meta.sources", "meta.pages", "landed.users", "landed.accounts", "raw.scim_users"]
gate    = false
*/
with

-- The accounts of a source are its SCIM users only if it was not read through REST.
rest_counts as (
    select rest.source, count(accounts.account_id) as user_count
    from (select distinct source from landed.users where resource = 'users') as rest
    left join landed.accounts as accounts on accounts.source = rest.source
    group by rest.source
),

scim_counts as (
    select source, count(distinct payload ->> '$.id') as user_count
    from raw.scim_users
    where snapshot_id = $snapshot_id and is_accepted
    group by source
),

-- An endpoint without users returns only empty pages, which are not among the accepted ones.
sources_with_scim as (
    select source
    from meta.pages
    where snapshot_id = $snapshot_id and resource = 'scim_users' and status = 200
    group by source
    having bool_or(is_accepted) or sum(items) = 0
)

select
    sources.source,
    rest.user_count::varchar as expected,
    case when endpoint.source is not null then coalesce(scim.user_count, 0) end::varchar as observed,
    case when endpoint.source is not null then coalesce(scim.user_count, 0) end - rest.user_count as difference,
    case
        when endpoint.source is null or rest.user_count is null then 'NOT_AVAILABLE'
        when coalesce(scim.user_count, 0) = rest.user_count then 'PASS'
        else 'FAIL'
    end as result,
    case
        when endpoint.source is null then 'No SCIM endpoint of this source was read.'
        when rest.user_count is null then 'The source was read only through SCIM.'
        else 'REST returned ' || counted(rest.user_count, 'user') || ', SCIM returned ' || coalesce(scim.user_count, 0) || '.'
    end as explanation
from meta.sources as sources
left join rest_counts as rest on rest.source = sources.source
left join scim_counts as scim on scim.source = sources.source
left join sources_with_scim as endpoint on endpoint.source = sources.source
where sources.snapshot_id = $snapshot_id and sources.kind <> 'files'
