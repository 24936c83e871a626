/*
title       = "Missing e-mail address"
summary     = "An active account of a person without a valid e-mail address."
severity    = "low"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown') and account_type = 'human'"
reads       = ["graph.accounts", "graph.sources"]
grain       = ["source", "account_id"]
remediation = "Add the person's address, so that the account can be matched to the roster."

[controls]
iso27001 = ["A.5.16"]
*/
with

verdicts as (
    select
        account.source, account.account_id, account.email,
        case
            when status = 'unknown' or list_contains(unreadable_fields, 'email') then 'unknown'
            -- Only a valid address has a domain.
            -- A file may have no addresses at all, which says nothing about its accounts.
            when email_domain is null and source.is_from_files and not source.gives_emails then 'unknown'
            when email_domain is null then 'failed'
        end as verdict
    from graph.accounts as account
    left join graph.sources as source on source.source = account.source
    where status in ('active', 'unknown') and account_type = 'human'
)

select
    source,
    account_id,
    verdict,
    case when email is null then 'The account has no e-mail address.'
        else 'This is not a valid e-mail address: ' || email || '.' end as detail,
    coalesce(email, 'none') as observed_value,
    'an e-mail address' as threshold
from verdicts
where verdict is not null

/* example
name = "a missing or invalid address fails; only accounts of people are in the population"
given."graph.accounts" = [
  { source = "s", account_id = "none", status = "active", account_type = "human" },
  { source = "s", account_id = "no domain", status = "active", account_type = "human", email = "ada" },
  { source = "s", account_id = "no name", status = "active", account_type = "human", email = "@example.com" },
  { source = "s", account_id = "good", status = "active", account_type = "human", email = "a@example.com", email_domain = "example.com" },
  { source = "s", account_id = "two in one", status = "active", account_type = "human", email = "a,b@example.com" },
  { source = "s", account_id = "robot", status = "active", account_type = "service" },
  { source = "s", account_id = "inactive", status = "inactive", account_type = "human" },
  { source = "s", account_id = "status unknown", status = "unknown", account_type = "human" },
]
expect = [
  { account_id = "none", verdict = "failed" },
  { account_id = "no domain", verdict = "failed" },
  { account_id = "no name", verdict = "failed" },
  { account_id = "two in one", verdict = "failed" },
  { account_id = "status unknown", verdict = "unknown" },
]
population = 6
*/
/* example
name = "the accounts of a file without addresses are not evaluated"
given."graph.sources" = [ { source = "f", is_from_files = true, gives_emails = false }, { source = "g", is_from_files = true, gives_emails = true } ]
given."graph.accounts" = [
  { source = "f", account_id = "1", status = "active", account_type = "human" },
  { source = "g", account_id = "2", status = "active", account_type = "human" },
]
expect = [ { account_id = "1", verdict = "unknown" }, { account_id = "2", verdict = "failed" } ]
population = 2
*/
