/*
title       = "No role assigned after provisioning"
summary     = "An account that was created through SCIM longer ago than the limit and still has the lowest role, or none. SCIM assigns groups, never roles."
severity    = "low"
population  = """
select account.source, account.account_id
from graph.accounts as account
left join graph.sources as source on source.source = account.source
where source.is_from_files is distinct from true
"""
reads       = ["graph.accounts", "graph.roles", "graph.sources", "graph.provider_accounts"]
grain       = ["source", "account_id"]
needs       = "provider"
remediation = "Assign the role that the person needs, or record that the lowest role is intended."

[params]
grace_days = 7

[controls]
soc2 = ["CC6.3"]
*/
with

-- The lowest built-in role is the default; a custom role was assigned on purpose.
lowest_roles as (
    select source, min(role_rank) as role_rank from graph.roles where is_builtin group by source
),

verdicts as (
    select
        account.source, account.account_id, account.created_at, provider.is_provisioned, provider.scim_sources,
        account.role_id is null as has_no_role,
        account.role_id is not null and role.role_id is null as has_lost_role,
        coalesce(role.role_display_name, role.role_name, account.role_id) as role_name,
        case
            when provider.account_id is null then 'unknown'
            when not provider.is_provisioned then null
            -- A role other than the lowest was assigned on purpose.
            when role.role_id is not null
                and (not role.is_builtin or role.role_rank is distinct from lowest_roles.role_rank) then null
            when account.created_at >= $as_of - to_days($grace_days) then null
            when provider.is_provisioned is null or account.created_at is null then 'unknown'
            -- The role id refers to no role.
            when account.role_id is not null and role.role_id is null then 'unknown'
            else 'failed'
        end as verdict
    from graph.accounts as account
    left join graph.provider_accounts as provider
        on provider.source = account.source and provider.account_id = account.account_id
    left join graph.roles as role on role.source = account.source and role.role_id = account.role_id
    left join lowest_roles on lowest_roles.source = account.source
    left join graph.sources as source on source.source = account.source
    -- An application that is read from files has no role for each account.
    where source.is_from_files is distinct from true
)

select
    source,
    account_id,
    verdict,
    case
        when scim_sources is null then 'No SCIM endpoint was read.'
        when is_provisioned is null then 'The SCIM data does not show whether a provider created the account.'
        when created_at is null then 'The creation date of the account is not known.'
        when has_no_role then 'Provisioned through SCIM, without a role.'
        when has_lost_role then 'Its role does not exist.'
        else 'Provisioned through SCIM, and still has ' || role_name || ', the lowest role.'
    end as detail,
    case when has_no_role then 'no role' else role_name end as observed_value,
    'a role within ' || counted($grace_days, 'day') || ' of creation' as threshold
from verdicts
where verdict is not null

/* example
name = "the lowest role or none fails past the limit; at the limit, with another role, or not provisioned passes, whatever the status"
as_of = 2026-03-08T00:00:00Z
given."graph.roles" = [
  { source = "s", role_id = "low", role_rank = 10, role_display_name = "Viewer", is_builtin = true },
  { source = "s", role_id = "high", role_rank = 30, role_display_name = "Designer", is_builtin = true },
  { source = "s", role_id = "custom", role_rank = 10, role_display_name = "Reader", is_builtin = false },
  { source = "s", role_id = "odd", role_display_name = "Odd", is_builtin = false },
]
given."graph.accounts" = [
  { source = "s", account_id = "late", status = "active", role_id = "low", created_at = 2026-02-28T23:59:59Z },
  { source = "s", account_id = "just", status = "active", role_id = "low", created_at = 2026-03-01T00:00:00Z },
  { source = "s", account_id = "bare", status = "active", created_at = 2026-01-01T00:00:00Z },
  { source = "s", account_id = "dateless", status = "active", role_id = "low" },
  { source = "s", account_id = "given", status = "active", role_id = "high", created_at = 2026-01-01T00:00:00Z },
  { source = "s", account_id = "unranked", status = "active", role_id = "odd", created_at = 2026-01-01T00:00:00Z },
  { source = "s", account_id = "custom", status = "active", role_id = "custom", created_at = 2026-01-01T00:00:00Z },
  { source = "s", account_id = "lost", status = "active", role_id = "gone", created_at = 2026-01-01T00:00:00Z },
  { source = "s", account_id = "off", status = "inactive", role_id = "low", created_at = 2026-01-01T00:00:00Z },
  { source = "s", account_id = "by hand", status = "active", role_id = "low", created_at = 2026-01-01T00:00:00Z },
  { source = "s", account_id = "untold", status = "active", role_id = "low", created_at = 2026-01-01T00:00:00Z },
  { source = "s", account_id = "stateless", status = "unknown", role_id = "low", created_at = 2026-01-01T00:00:00Z },
  { source = "far", account_id = "f", status = "active", role_id = "low" },
]
given."graph.provider_accounts" = [
  { source = "s", account_id = "late", is_provisioned = true, scim_sources = "s" },
  { source = "s", account_id = "just", is_provisioned = true, scim_sources = "s" },
  { source = "s", account_id = "bare", is_provisioned = true, scim_sources = "s" },
  { source = "s", account_id = "dateless", is_provisioned = true, scim_sources = "s" },
  { source = "s", account_id = "given", is_provisioned = true, scim_sources = "s" },
  { source = "s", account_id = "unranked", is_provisioned = true, scim_sources = "s" },
  { source = "s", account_id = "custom", is_provisioned = true, scim_sources = "s" },
  { source = "s", account_id = "lost", is_provisioned = true, scim_sources = "s" },
  { source = "s", account_id = "off", is_provisioned = true, scim_sources = "s" },
  { source = "s", account_id = "by hand", is_provisioned = false, scim_sources = "s" },
  { source = "s", account_id = "untold", scim_sources = "s" },
  { source = "s", account_id = "stateless", is_provisioned = true, scim_sources = "s" },
]
expect = [
  { account_id = "late", verdict = "failed" },
  { account_id = "bare", verdict = "failed" },
  { account_id = "off", verdict = "failed" },
  { account_id = "dateless", verdict = "unknown" },
  { account_id = "lost", verdict = "unknown" },
  { account_id = "untold", verdict = "unknown" },
  { account_id = "stateless", verdict = "failed" },
  { account_id = "f", verdict = "unknown" },
]
population = 13
*/
