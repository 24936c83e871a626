/*
title       = "Built-in role that was given management rights"
summary     = "An account whose role is a built-in one below Data Admin that may manage users, groups or tenants."
severity    = "high"
population  = "select source, account_id from graph.accounts"
reads       = ["graph.accounts", "graph.roles"]
grain       = ["source", "account_id"]
remediation = "Set the built-in role back to what it was, and make a custom role for whoever needs more."

[controls]
iso27001 = ["A.8.2"]
nist     = ["AC-6"]
*/
with

judged as (
    select
        account.source, account.account_id, role.role_display_name,
        case
            when role.role_id is null then 'unknown'
            -- 70 is the rank of Data Admin.
            when not role.is_builtin or role.role_rank >= 70 then null
            when not role.has_manifest then 'unknown'
            when role.manages_users then 'failed'
        end as verdict
    from graph.accounts as account
    left join graph.roles as role on role.source = account.source and role.role_id = account.role_id
)

select
    source,
    account_id,
    verdict,
    'The built-in role ' || role_display_name || ' may manage users, groups or tenants here.' as detail,
    role_display_name as observed_value,
    'no management rights' as threshold
from judged
where verdict is not null

/* example
name = "below Data Admin fails; Data Admin and custom roles pass; a role or a manifest that is not there is unknown"
given."graph.roles" = [
  { source = "s", role_id = "edited", is_builtin = true, role_rank = 50, has_manifest = true, manages_users = true },
  { source = "s", role_id = "plain", is_builtin = true, role_rank = 50, has_manifest = true, manages_users = false },
  { source = "s", role_id = "data admin", is_builtin = true, role_rank = 70, has_manifest = true, manages_users = true },
  { source = "s", role_id = "custom", is_builtin = false, role_rank = 50, has_manifest = true, manages_users = true },
  { source = "s", role_id = "silent", is_builtin = true, role_rank = 50, has_manifest = false, manages_users = false },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", role_id = "edited" }, { source = "s", account_id = "2", role_id = "plain" },
  { source = "s", account_id = "3", role_id = "data admin" }, { source = "s", account_id = "4", role_id = "custom" },
  { source = "s", account_id = "5", role_id = "silent" }, { source = "s", account_id = "6", role_id = "gone" },
  { source = "s", account_id = "7" },
]
expect = [
  { account_id = "1", verdict = "failed" },
  { account_id = "5", verdict = "unknown" },
  { account_id = "6", verdict = "unknown" },
  { account_id = "7", verdict = "unknown" },
]
population = 7
*/
