/*
summary = "The account that read the source can see every account in it."
reads   = ["meta.sources", "landed.users", "landed.accounts", "landed.roles", "reference.role_names", "reference.rank_levels", "policy.roles"]
gate    = true
*/
with

-- The policy and the source may use either name of a role: the API's or the one shown to people.
ranked_names as (
    select lower(role_name) as name, source, rank from policy.roles
    union all
    select lower(names.display_name), policy.source, policy.rank
    from reference.role_names as names
    join policy.roles as policy on lower(policy.role_name) = lower(names.role_name)
    union all
    select lower(names.role_name), policy.source, policy.rank
    from reference.role_names as names
    join policy.roles as policy on lower(policy.role_name) = lower(names.display_name)
),

ranks as (
    select sources.source, names.name, max(names.rank) as rank
    from meta.sources as sources
    join ranked_names as names on coalesce(names.source, sources.source) = sources.source
    where sources.snapshot_id = $snapshot_id
    group by sources.source, names.name
),

tenants as (
    select source, count(distinct tenant_id) as tenant_count from landed.users group by source
),

id_counts as (
    select source, count(*) as id_count from landed.accounts group by source
),

callers as (
    select
        sources.source,
        coalesce(sources.principal_role_name, roles.role_name, 'a role based on ' || roles.base_role_name) as role_name,
        coalesce('the role ' || coalesce(sources.principal_role_name, roles.role_name), 'a role based on ' || roles.base_role_name)
            as held_role,
        coalesce(own.rank, base.rank) as rank,
        coalesce(tenants.tenant_count, 0) as tenant_count,
        coalesce(sources.users_after, sources.users_before) = id_counts.id_count as is_count_equal,
        administrator.minimum_rank as administrator_rank, tenant_administrator.minimum_rank as tenant_administrator_rank
    from meta.sources as sources
    join reference.rank_levels as administrator on administrator.level = 'admin'
    join reference.rank_levels as tenant_administrator on tenant_administrator.level = 'tenant_admin'
    left join landed.roles as roles on roles.source = sources.source and roles.role_id = sources.principal_role_id
    left join ranks as own on own.source = sources.source and own.name = lower(coalesce(sources.principal_role_name, roles.role_name))
    left join ranks as base on base.source = sources.source and base.name = lower(roles.base_role_name)
    left join tenants on tenants.source = sources.source
    left join id_counts on id_counts.source = sources.source
    -- Whether a credential sees all of an Okta organisation is found out by the extract, which knows Okta's roles.
    where sources.snapshot_id = $snapshot_id and sources.kind not in ('okta', 'files')
)

select
    source,
    'rank ' || administrator_rank || ' or above' as expected,
    case when rank is null then coalesce(role_name, 'unknown role') else 'rank ' || rank end as observed,
    null::bigint as difference,
    case
        when rank >= administrator_rank or (rank >= tenant_administrator_rank and tenant_count <= 1) then 'PASS'
        when rank is not null then 'FAIL'
        -- A readable role without a rank may see a filtered list. If the role cannot be read, the verdict on the whole
        -- extract (landing/verdict.sql) requires that the source's own count agrees instead.
        when role_name is null then 'NOT_AVAILABLE'
        else 'FAIL'
    end as result,
    case
        when rank >= administrator_rank then 'The account that reads has ' || held_role || ' and sees every account.'
        when rank >= tenant_administrator_rank and tenant_count <= 1 then 'The account that reads has ' || held_role || ' and sees every account of the only tenant.'
        when rank >= tenant_administrator_rank then 'The account that reads has ' || held_role || ' and sees one of ' || tenant_count || ' tenants.'
        when rank is not null then 'The account that reads has ' || held_role || ' and sees a filtered list of accounts.'
        when role_name is not null
            then 'The account that reads has ' || held_role || ', which has no rank. If it sees every account, rank it in roles.csv.'
        when is_count_equal then 'The role of the account that reads is not known, but the source''s own count agrees with the list.'
        else 'The role of the account that reads is not known, and no count confirms that the list is complete.'
    end as explanation
from callers
