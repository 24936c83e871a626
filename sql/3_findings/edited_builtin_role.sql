/*
title       = "Built-in role with added management rights"
summary     = "A built-in role below Data Admin that can manage users, groups or tenants, even if no account holds it."
severity    = "high"
population  = "select source, role_id from graph.roles where is_builtin"
reads       = ["graph.accounts", "graph.roles", "reference.rank_levels"]
grain       = ["source", "role_id"]
remediation = "Restore the default permissions of the built-in role. Create a custom role for accounts that need more."

[controls]
iso27001 = ["A.8.2"]
nist     = ["AC-6"]
*/
with

edited_roles as (
    select
        source, role_id, coalesce(role_display_name, role_name, role_id) as role_name,
        case when not has_manifest then 'unknown' when manages_users then 'failed' end as verdict
    from graph.roles
    where is_builtin and coalesce(role_rank, 0) < (select minimum_rank from reference.rank_levels where level = 'data_admin')
),

-- Active accounts come first. The detail names ten; the evidence lists a hundred.
ranked_holders as (
    select
        account.source, account.role_id, account.account_id, account.display_name, account.status,
        row_number() over (
            partition by account.source, account.role_id
            order by account.status <> 'active', account.display_name, account.account_id
        ) as place
    from graph.accounts as account
    join edited_roles as role on role.source = account.source and role.role_id = account.role_id and role.verdict = 'failed'
),

holders as (
    select
        source, role_id, count(*) as holder_count, count(*) filter (where status = 'active') as active_count,
        array_to_string(list(display_name order by place) filter (where place <= 10), ', ') as names,
        list(account_id order by place) filter (where place <= 100) as account_ids
    from ranked_holders
    group by source, role_id
)

select
    role.source,
    role.role_id,
    role.verdict,
    'The built-in role ' || role.role_name || ' can manage users, groups or tenants. '
        || case
            when holders.holder_count is null then 'No account holds it.'
            else counted(holders.holder_count, 'account') || case when holders.holder_count = 1 then ' holds' else ' hold' end
                || ' it, ' || holders.active_count || ' of them active: ' || holders.names
                || case when holders.holder_count > 10 then ' and ' || (holders.holder_count - 10) || ' more' else '' end || '.'
        end as detail,
    role.role_name as observed_value,
    'no management rights' as threshold,
    cast({'holders': coalesce(holders.holder_count, 0), 'account_ids': coalesce(holders.account_ids, [])} as json) as evidence
from edited_roles as role
left join holders on holders.source = role.source and holders.role_id = role.role_id
where role.verdict is not null

/* example
name = "a role below Data Admin fails, even if no account holds it; Data Admin and custom roles pass; without a manifest it is unknown"
given."graph.roles" = [
  { source = "s", role_id = "edited", role_display_name = "Designer", is_builtin = true, role_rank = 50, has_manifest = true, manages_users = true },
  { source = "s", role_id = "unheld", role_display_name = "Viewer", is_builtin = true, role_rank = 10, has_manifest = true, manages_users = true },
  { source = "s", role_id = "plain", is_builtin = true, role_rank = 50, has_manifest = true, manages_users = false },
  { source = "s", role_id = "data admin", is_builtin = true, role_rank = 70, has_manifest = true, manages_users = true },
  { source = "s", role_id = "custom", is_builtin = false, role_rank = 50, has_manifest = true, manages_users = true },
  { source = "s", role_id = "silent", is_builtin = true, role_rank = 50, has_manifest = false, manages_users = false },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", role_id = "edited", display_name = "Zed", status = "active" },
  { source = "s", account_id = "2", role_id = "edited", display_name = "Ann", status = "inactive" },
  { source = "s", account_id = "3", role_id = "data admin", display_name = "Bo", status = "active" },
]
expect = [
  { role_id = "edited", verdict = "failed", detail = "The built-in role Designer can manage users, groups or tenants. 2 accounts hold it, 1 of them active: Zed, Ann." },
  { role_id = "unheld", verdict = "failed", detail = "The built-in role Viewer can manage users, groups or tenants. No account holds it." },
  { role_id = "silent", verdict = "unknown" },
]
population = 5
*/
