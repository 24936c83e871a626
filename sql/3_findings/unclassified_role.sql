/*
title       = "Unclassified role"
summary     = "An account whose role is missing, does not exist, or has no rank. It counts as privileged until the role is ranked. Accounts of an application that is read from files are not evaluated while an entitlement of theirs is unranked."
severity    = "medium"
population  = "select source, account_id from graph.accounts"
reads       = ["graph.accounts", "graph.roles", "graph.sources", "graph.effective_access"]
grain       = ["source", "account_id"]
remediation = "Give the role a rank in roles.csv, or give the account a ranked role."

[controls]
soc2 = ["CC6.3"]
nist = ["AC-2"]
*/
with

-- An application that is read from files has no role for each account, and the program knows none of its entitlements.
unranked_entitlements as (
    select access.source, access.account_id, count(*) as entitlement_count, min(access.entitlement_name) as first_name
    from graph.effective_access as access
    join graph.sources as source on source.source = access.source and source.is_from_files
    where access.permission_level = 'unclassified'
    group by access.source, access.account_id
),

verdicts as (
    select
        account.source, account.account_id, account.role_id, role.role_name,
        case
            when source.is_from_files then case when unranked.account_id is not null then 'unknown' end
            -- If the source gives no roles, no id can be resolved.
            when account.role_id is not null and source.role_count = 0 then 'unknown'
            when account.role_rank is null then 'failed'
        end as verdict,
        case
            when source.is_from_files then 'Neither roles.csv nor the file says whether '
                || case when unranked.entitlement_count > 1 then unranked.entitlement_count || ' of its entitlements are privileged.'
                    else coalesce(unranked.first_name, 'its entitlement') || ' is privileged.' end
            when account.role_id is null then 'The account has no role.'
            when role.role_id is null then 'No role has the id ' || account.role_id || '.'
            else 'Neither the role ''' || coalesce(role.role_name, role.role_id) || ''' nor its base role has a rank.'
        end as detail
    from graph.accounts as account
    join graph.sources as source on source.source = account.source
    left join graph.roles as role on role.source = account.source and role.role_id = account.role_id
    left join unranked_entitlements as unranked
        on unranked.source = account.source and unranked.account_id = account.account_id
)

select
    source,
    account_id,
    verdict,
    detail,
    coalesce(role_name, role_id, 'no role') as observed_value,
    'a role with a rank' as threshold
from verdicts
where verdict is not null

/* example
name = "a missing, dangling or unranked role fails, a ranked one passes; in a source that gives no roles it is unknown"
given."graph.sources" = [ { source = "s", role_count = 2 }, { source = "mute", role_count = 0 } ]
given."graph.roles" = [
  { source = "s", role_id = "viewer", role_name = "consumer", role_rank = 10 },
  { source = "s", role_id = "odd", role_name = "custom_odd" },
]
given."graph.accounts" = [
  { source = "s", account_id = "ranked", role_id = "viewer", role_rank = 10 },
  { source = "s", account_id = "none" },
  { source = "s", account_id = "dangling", role_id = "gone" },
  { source = "s", account_id = "unranked", role_id = "odd" },
  { source = "mute", account_id = "a", role_id = "viewer" },
]
expect = [
  { account_id = "none", verdict = "failed" },
  { account_id = "dangling", verdict = "failed" },
  { account_id = "unranked", verdict = "failed" },
  { account_id = "a", verdict = "unknown" },
]
population = 5
*/
/* example
name = "an account of a file is not evaluated while an entitlement is unranked, and passes without one"
given."graph.sources" = [ { source = "f", role_count = 0, is_from_files = true } ]
given."graph.accounts" = [
  { source = "f", account_id = "unranked" }, { source = "f", account_id = "ranked", role_rank = 20 },
  { source = "f", account_id = "said" }, { source = "f", account_id = "none" },
]
given."graph.effective_access" = [
  { source = "f", account_id = "unranked", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Clerk", permission_level = "unclassified" },
  { source = "f", account_id = "unranked", entitlement_type = "role", entitlement_id = "s", permission_level = "standard" },
  { source = "f", account_id = "ranked", entitlement_type = "role", entitlement_id = "s", permission_level = "standard" },
  { source = "f", account_id = "said", entitlement_type = "role", entitlement_id = "p", permission_level = "privileged" },
]
expect = [ { account_id = "unranked", verdict = "unknown", detail = "Neither roles.csv nor the file says whether Clerk is privileged." } ]
population = 4
*/
