/*
title       = "Account unknown to the identity provider"
summary     = "An active account that is not assigned in the identity provider, so that deactivating the person there does not deactivate the account."
severity    = "high"
population  = """
select source, account_id from graph.accounts
where status in ('active', 'unknown') and not is_registered
"""
reads       = ["graph.accounts", "graph.provider_accounts", "reference.snapshot"]
grain       = ["source", "account_id"]
needs       = "provider"
remediation = "Assign the person in the identity provider, register the account with its purpose, or deactivate it."

[controls]
soc2 = ["CC6.2"]
nist = ["AC-2"]
*/
with

verdicts as (
    select
        account.source, account.account_id, provider.scim_sources, provider.is_assigned,
        case
            when provider.is_assigned and account.status = 'active' then null
            -- An account may be missing from a list that is not proven complete.
            -- A user in the directory without an assignment is another finding.
            when provider.is_known and not provider.is_assigned and account.status = 'active' then null
            when account.status = 'unknown' or provider.is_assigned is null or snapshot.completeness <> 'FULL'
                then 'unknown'
            -- The provider may know the account by the field that is unreadable.
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
        when is_assigned is null then 'The data of ' || scim_sources || ' does not show which accounts the provider manages.'
        when is_assigned then 'The account is assigned in ' || scim_sources || '; its status in Sisense is not known.'
        else 'Active in Sisense, but not assigned in ' || scim_sources || '.'
    end as detail,
    case when is_assigned then 'assigned' when not is_assigned then 'not assigned' else 'not known' end as observed_value,
    'assigned in the identity provider' as threshold
from verdicts
where verdict is not null

/* example
name = "an unassigned account fails; assigned accounts pass; registered and inactive ones are not in the population; missing data is unknown"
given."reference.snapshot" = [ { completeness = "FULL" } ]
given."graph.accounts" = [
  { source = "s", account_id = "unassigned", status = "active", is_registered = false },
  { source = "s", account_id = "known", status = "active", is_registered = false },
  { source = "s", account_id = "robot", status = "active", is_registered = true },
  { source = "s", account_id = "off", status = "inactive", is_registered = false },
  { source = "s", account_id = "no data", status = "active", is_registered = false },
  { source = "s", account_id = "status unknown", status = "unknown", is_registered = false },
]
given."graph.provider_accounts" = [
  { source = "s", account_id = "unassigned", is_assigned = false, scim_sources = "s" },
  { source = "s", account_id = "known", is_assigned = true, scim_sources = "s" },
  { source = "s", account_id = "robot", is_assigned = false, scim_sources = "s" },
  { source = "s", account_id = "off", is_assigned = false, scim_sources = "s" },
  { source = "s", account_id = "no data", scim_sources = "s" },
  { source = "s", account_id = "status unknown", is_assigned = false, scim_sources = "s" },
]
expect = [
  { account_id = "unassigned", verdict = "failed" },
  { account_id = "no data", verdict = "unknown" },
  { account_id = "status unknown", verdict = "unknown" },
]
population = 4
*/
/* example
name = "without a provider, or with an incomplete list, accounts are unknown"
given."reference.snapshot" = [ { completeness = "PARTIAL" } ]
given."graph.accounts" = [
  { source = "s", account_id = "a", status = "active", is_registered = false },
  { source = "t", account_id = "b", status = "active", is_registered = false },
]
given."graph.provider_accounts" = [ { source = "t", account_id = "b", is_assigned = false, scim_sources = "t" } ]
expect = [ { account_id = "a", verdict = "unknown" }, { account_id = "b", verdict = "unknown" } ]
population = 2
*/
/* example
name = "a user of a directory who is not assigned is no account that the directory does not know"
given."reference.snapshot" = [ { completeness = "FULL" } ]
given."graph.accounts" = [
  { source = "s", account_id = "known", status = "active", is_registered = false },
  { source = "s", account_id = "stranger", status = "active", is_registered = false },
]
given."graph.provider_accounts" = [
  { source = "s", account_id = "known", is_assigned = false, is_known = true, scim_sources = "d" },
  { source = "s", account_id = "stranger", is_assigned = false, is_known = false, scim_sources = "d" },
]
expect = [ { account_id = "stranger", verdict = "failed" } ]
population = 2
*/
