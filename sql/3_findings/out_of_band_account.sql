/*
title       = "Account that the identity provider does not know"
summary     = "An active account that nobody is assigned to in the identity provider, so that switching the person off there does not reach it."
severity    = "high"
population  = """
select source, account_id from graph.accounts
where status in ('active', 'unknown') and not is_registered
"""
reads       = ["graph.accounts", "graph.provider_accounts", "reference.snapshot"]
grain       = ["source", "account_id"]
needs       = "provider"
remediation = "Assign the person in the identity provider, register the account with its purpose, or disable it."

[controls]
soc2 = ["CC6.2"]
nist = ["AC-2"]
*/
with

judged as (
    select
        account.source, account.account_id, provider.scim_sources, provider.is_assigned,
        case
            when provider.is_assigned and account.status = 'active' then null
            -- a list that is not proven complete says nothing of who is missing in it
            when account.status = 'unknown' or provider.is_assigned is null or snapshot.completeness <> 'FULL'
                then 'unknown'
            -- the provider may know it by what cannot be read here
            when list_contains(account.unreadable_fields, 'userName') or list_contains(account.unreadable_fields, 'email')
                then 'unknown'
            else 'failed'
        end as verdict
    from graph.accounts as account
    cross join reference.snapshot as snapshot
    left join graph.provider_accounts as provider
        on provider.source = account.source and provider.account_id = account.account_id
    where account.status in ('active', 'unknown') and not account.is_registered
)

select
    source,
    account_id,
    verdict,
    case
        when scim_sources is null then 'No identity provider was read.'
        when is_assigned is null then 'What ' || scim_sources || ' gives by SCIM does not tell which accounts a provider manages.'
        when is_assigned then 'The account is known to ' || scim_sources || '; its own status is not known.'
        else 'Active in Sisense, and not assigned by ' || scim_sources || '.'
    end as detail,
    case when is_assigned then 'assigned' when not is_assigned then 'not assigned' else 'not known' end as observed_value,
    'assigned in the identity provider' as threshold
from judged
where verdict is not null

/* example
name = "not assigned fails; assigned, registered and inactive ones pass or are not asked; what is not told is unknown"
given."reference.snapshot" = [ { completeness = "FULL" } ]
given."graph.accounts" = [
  { source = "s", account_id = "stranger", status = "active", is_registered = false },
  { source = "s", account_id = "known", status = "active", is_registered = false },
  { source = "s", account_id = "robot", status = "active", is_registered = true },
  { source = "s", account_id = "off", status = "inactive", is_registered = false },
  { source = "s", account_id = "untold", status = "active", is_registered = false },
  { source = "s", account_id = "stateless", status = "unknown", is_registered = false },
]
given."graph.provider_accounts" = [
  { source = "s", account_id = "stranger", is_assigned = false, scim_sources = "s" },
  { source = "s", account_id = "known", is_assigned = true, scim_sources = "s" },
  { source = "s", account_id = "robot", is_assigned = false, scim_sources = "s" },
  { source = "s", account_id = "off", is_assigned = false, scim_sources = "s" },
  { source = "s", account_id = "untold", scim_sources = "s" },
  { source = "s", account_id = "stateless", is_assigned = false, scim_sources = "s" },
]
expect = [
  { account_id = "stranger", verdict = "failed" },
  { account_id = "untold", verdict = "unknown" },
  { account_id = "stateless", verdict = "unknown" },
]
population = 4
*/
/* example
name = "without a provider, and with a list that is not proven complete, nobody is called a stranger"
given."reference.snapshot" = [ { completeness = "PARTIAL" } ]
given."graph.accounts" = [
  { source = "s", account_id = "a", status = "active", is_registered = false },
  { source = "t", account_id = "b", status = "active", is_registered = false },
]
given."graph.provider_accounts" = [ { source = "t", account_id = "b", is_assigned = false, scim_sources = "t" } ]
expect = [ { account_id = "a", verdict = "unknown" }, { account_id = "b", verdict = "unknown" } ]
population = 2
*/
