/*
title       = "Orphaned account"
summary     = "An active account that matches no person in the roster and is not a registered service or break-glass account."
severity    = "high"
population  = """
select source, account_id from graph.accounts
where status in ('active', 'unknown') and not is_registered
"""
reads       = ["graph.accounts", "graph.people"]
grain       = ["source", "account_id"]
needs       = "roster"
remediation = "Find the owner, and correct the roster or the account. Register it if it is a service account; otherwise deactivate it."

[controls]
soc2     = ["CC6.2"]
iso27001 = ["A.5.16"]
nist     = ["AC-2(3)"]
cis      = ["5.1"]

[effects]
recommendation = "investigate"
on             = "account"
reason         = "The account matches no person in the roster."
deactivates    = true

[effects.risk]
factor     = "orphaned"
likelihood = 3
*/
with

roster as (
    select count(*) > 0 as is_loaded from graph.people
),

verdicts as (
    select
        account.source, account.account_id, account.person_match,
        case
            when account.status = 'unknown' or not roster.is_loaded then 'unknown'
            when account.person_id is null and (
                list_contains(account.unreadable_fields, 'email') or list_contains(account.unreadable_fields, 'userName')
            ) then 'unknown'
            when account.person_id is null then 'failed'
        end as verdict
    from graph.accounts as account
    cross join roster
    where account.status in ('active', 'unknown') and not account.is_registered
)

select
    source,
    account_id,
    verdict,
    case person_match
        when 'ambiguous' then 'Several people in the roster match equally well.'
        when 'suggested' then 'Only the name matches a person in the roster, which is not enough.'
        else 'No e-mail address, alias or user name in the roster matches.'
    end as detail,
    person_match as observed_value,
    'one person in the roster' as threshold
from verdicts
where verdict is not null

/* example
name = "no match and several matches fail, one passes; registered accounts are not in the population"
given."graph.people" = [ { person_id = "p" } ]
given."graph.accounts" = [
  { source = "s", account_id = "nobody", status = "active", is_registered = false, person_match = "unmatched" },
  { source = "s", account_id = "several", status = "active", is_registered = false, person_match = "ambiguous" },
  { source = "s", account_id = "one", status = "active", is_registered = false, person_id = "p", person_match = "email" },
  { source = "s", account_id = "robot", status = "active", is_registered = true, person_match = "unmatched" },
  { source = "s", account_id = "glass", status = "active", is_registered = true, person_match = "unmatched" },
  { source = "s", account_id = "inactive", status = "inactive", is_registered = false, person_match = "unmatched" },
  { source = "s", account_id = "status unknown", status = "unknown", is_registered = false, person_match = "unmatched" },
]
expect = [
  { account_id = "nobody", verdict = "failed" },
  { account_id = "several", verdict = "failed" },
  { account_id = "status unknown", verdict = "unknown" },
]
population = 4
*/
/* example
name = "without a roster every account is unknown"
given."graph.accounts" = [ { source = "s", account_id = "a", status = "active", is_registered = false, person_match = "no_roster" } ]
expect = [ { account_id = "a", verdict = "unknown" } ]
population = 1
*/
