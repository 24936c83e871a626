/*
title       = "Not assigned to the application"
summary     = "An active account of a person who is in the identity provider, but is not assigned to the application there."
severity    = "high"
population  = """
select source, account_id from graph.accounts
where status in ('active', 'unknown') and not is_registered
"""
reads       = ["graph.accounts", "graph.provider_accounts", "reference.snapshot"]
grain       = ["source", "account_id"]
needs       = "provider"
remediation = "Assign the person to the application in the identity provider, or deactivate the account."

[controls]
soc2     = ["CC6.2"]
iso27001 = ["A.5.18"]
nist     = ["AC-2"]
*/
with

verdicts as (
    select
        account.source, account.account_id, provider.scim_sources, provider.is_known,
        case
            when account.status = 'unknown' or provider.is_known is null or snapshot.completeness <> 'FULL' then 'unknown'
            when provider.is_known and not provider.is_assigned then 'failed'
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
        when verdict = 'failed' then 'Active in Sisense; the person is in ' || scim_sources || ', without an assignment to the application.'
        when scim_sources is null then 'No identity provider was read.'
        when is_known is null then 'No assignments to the application were read from an identity provider.'
        else 'The status of the account, or the list of the identity provider, is not certain.'
    end as detail,
    case when verdict = 'failed' then 'not assigned' else 'not known' end as observed_value,
    'assigned to the application' as threshold
from verdicts
where verdict is not null

/* example
name = "a known person without an assignment fails; an assigned one passes, and so does an account that the directory does not know"
given."reference.snapshot" = [ { completeness = "FULL" } ]
given."graph.accounts" = [
  { source = "s", account_id = "unassigned", status = "active", is_registered = false },
  { source = "s", account_id = "assigned", status = "active", is_registered = false },
  { source = "s", account_id = "stranger", status = "active", is_registered = false },
  { source = "s", account_id = "robot", status = "active", is_registered = true },
  { source = "s", account_id = "off", status = "inactive", is_registered = false },
]
given."graph.provider_accounts" = [
  { source = "s", account_id = "unassigned", is_assigned = false, is_known = true, scim_sources = "okta" },
  { source = "s", account_id = "assigned", is_assigned = true, is_known = true, scim_sources = "okta" },
  { source = "s", account_id = "stranger", is_assigned = false, is_known = false, scim_sources = "okta" },
  { source = "s", account_id = "robot", is_assigned = false, is_known = true, scim_sources = "okta" },
  { source = "s", account_id = "off", is_assigned = false, is_known = true, scim_sources = "okta" },
]
expect = [ { account_id = "unassigned", verdict = "failed", observed_value = "not assigned" } ]
population = 3
*/
/* example
name = "without assignments, or with an unknown status, accounts are unknown"
given."reference.snapshot" = [ { completeness = "FULL" } ]
given."graph.accounts" = [
  { source = "s", account_id = "no data", status = "active", is_registered = false },
  { source = "s", account_id = "stateless", status = "unknown", is_registered = false },
  { source = "t", account_id = "far", status = "active", is_registered = false },
]
given."graph.provider_accounts" = [
  { source = "s", account_id = "no data", is_assigned = true, scim_sources = "scim" },
  { source = "s", account_id = "stateless", is_assigned = false, is_known = true, scim_sources = "okta" },
]
expect = [
  { account_id = "no data", verdict = "unknown" }, { account_id = "stateless", verdict = "unknown" },
  { account_id = "far", verdict = "unknown" },
]
population = 3
*/
/* example
name = "an extract that is not proven complete shows nothing"
given."reference.snapshot" = [ { completeness = "PARTIAL" } ]
given."graph.accounts" = [ { source = "s", account_id = "a", status = "active", is_registered = false } ]
given."graph.provider_accounts" = [ { source = "s", account_id = "a", is_assigned = false, is_known = true, scim_sources = "okta" } ]
expect = [ { account_id = "a", verdict = "unknown" } ]
population = 1
*/
