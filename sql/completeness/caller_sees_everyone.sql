/*
summary = "The account that read the source may see everyone in it."
reads   = ["meta.sources", "landed.users", "landed.roles", "reference.role_names", "policy.roles"]
gate    = true
*/
with

-- A role is known by the name the API uses or by the name people see.
ranked_names as (
    select lower(role_name) as known_as, rank from policy.roles
    union all
    select lower(names.display_name), policy.rank
    from reference.role_names as names
    join policy.roles as policy on lower(policy.role_name) = lower(names.role_name)
    union all
    select lower(names.role_name), policy.rank
    from reference.role_names as names
    join policy.roles as policy on lower(policy.role_name) = lower(names.display_name)
),

ranks as (
    select known_as, max(rank) as rank from ranked_names group by known_as
),

tenants as (
    select source, count(distinct tenant_id) as tenant_count, count(distinct account_id) as id_count
    from landed.users
    group by source
),

callers as (
    select
        sources.source,
        coalesce(sources.principal_role_name, roles.role_name, 'made from ' || roles.base_role_name) as role_name,
        coalesce(own.rank, base.rank) as rank,
        coalesce(tenants.tenant_count, 0) as tenant_count,
        coalesce(sources.users_after, sources.users_before) = tenants.id_count as is_count_equal
    from meta.sources as sources
    left join landed.roles as roles on roles.source = sources.source and roles.role_id = sources.principal_role_id
    left join ranks as own on own.known_as = lower(coalesce(sources.principal_role_name, roles.role_name))
    left join ranks as base on base.known_as = lower(roles.base_role_name)
    left join tenants on tenants.source = sources.source
    where sources.snapshot_id = $snapshot_id
)

select
    source,
    'rank 90 or above' as expected,
    case when rank is null then coalesce(role_name, 'unknown role') else 'rank ' || rank end as observed,
    null::bigint as difference,
    case
        when rank >= 90 or (rank >= 80 and tenant_count <= 1) then 'PASS'
        when rank is not null then 'FAIL'
        -- A caller whose role can be read and has no rank may be shown anything. One whose role cannot be read is
        -- believed only where the source's own count says the same: see what is asked of the whole extract.
        when role_name is null then 'NOT_AVAILABLE'
        else 'FAIL'
    end as result,
    case
        when rank >= 90 then 'The caller is ' || role_name || ', who sees everyone.'
        when rank >= 80 and tenant_count <= 1 then 'The caller is ' || role_name || ', and there is one tenant.'
        when rank >= 80 then 'The caller is ' || role_name || ', who sees one of ' || tenant_count || ' tenants.'
        when rank is not null then 'The caller is ' || role_name || ', who sees a filtered list without being told.'
        when role_name is not null
            then 'The caller is ' || role_name || ', a role without a rank: give it one in roles.csv if it sees everyone.'
        when is_count_equal then 'The caller''s role cannot be read; the source''s own count agrees with the list.'
        else 'The caller''s role cannot be read, and no count shows that the list is whole.'
    end as explanation
from callers
