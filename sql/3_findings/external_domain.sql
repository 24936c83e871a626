/*
title       = "External e-mail domain"
summary     = "An active account whose e-mail domain is not one of the organization's."
severity    = "medium"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown')"
reads       = ["graph.accounts", "policy.email_domains", "reference.freemail_domains", "reference.rank_levels"]
grain       = ["source", "account_id"]
remediation = "Confirm who uses the account and who is responsible for it, or deactivate it."

[controls]
soc2     = ["CC6.1"]
iso27001 = ["A.5.19"]
pci      = ["7.2.4"]

[effects.risk]
factor     = "external"
likelihood = 2
*/
with

own_domains as (
    select count(*) > 0 as is_known from policy.email_domains
),

verdicts as (
    select
        account.source, account.account_id, account.email_domain, account.privileged, account.role_rank,
        freemail.email_domain is not null as is_freemail,
        case
            when account.status = 'unknown' or account.email_domain is null or not own_domains.is_known then 'unknown'
            when inside.email_domain is null then 'failed'
        end as verdict
    from graph.accounts as account
    cross join own_domains
    left join policy.email_domains as inside on inside.email_domain = account.email_domain
    left join reference.freemail_domains as freemail on freemail.email_domain = account.email_domain
    where account.status in ('active', 'unknown')
)

select
    source,
    account_id,
    verdict,
    case
        when privileged and is_freemail then 'critical'
        -- Designer is the lowest level that can change what other people see.
        when privileged or role_rank >= (select minimum_rank from reference.rank_levels where level = 'designer') then 'high'
        else 'medium'
    end as severity,
    case
        when is_freemail then 'Anyone can get an address at ' || email_domain || '.'
        else 'The domain ' || email_domain || ' is external.'
    end
        as detail,
    email_domain as observed_value,
    'the organization''s domains' as threshold
from verdicts
where verdict is not null

/* example
name = "the role and free mail raise the severity; a subdomain of the organization's domain is external"
given."policy.email_domains" = [ { email_domain = "example.com" } ]
given."reference.freemail_domains" = [ { email_domain = "freemail.test" } ]
given."graph.accounts" = [
  { source = "s", account_id = "own", status = "active", email_domain = "example.com", privileged = true, role_rank = 90 },
  { source = "s", account_id = "sub", status = "active", email_domain = "mail.example.com", privileged = false, role_rank = 10 },
  { source = "s", account_id = "partner", status = "active", email_domain = "partner.test", privileged = false, role_rank = 29 },
  { source = "s", account_id = "designer", status = "active", email_domain = "partner.test", privileged = false, role_rank = 30 },
  { source = "s", account_id = "admin", status = "active", email_domain = "partner.test", privileged = true, role_rank = 90 },
  { source = "s", account_id = "free viewer", status = "active", email_domain = "freemail.test", privileged = false, role_rank = 10 },
  { source = "s", account_id = "free admin", status = "active", email_domain = "freemail.test", privileged = true, role_rank = 90 },
  { source = "s", account_id = "no e-mail", status = "active", privileged = false, role_rank = 10 },
  { source = "s", account_id = "inactive", status = "inactive", email_domain = "partner.test", privileged = false },
  { source = "s", account_id = "status unknown", status = "unknown", email_domain = "partner.test", privileged = false },
]
expect = [
  { account_id = "sub", verdict = "failed", severity = "medium" },
  { account_id = "partner", verdict = "failed", severity = "medium" },
  { account_id = "designer", verdict = "failed", severity = "high" },
  { account_id = "admin", verdict = "failed", severity = "high" },
  { account_id = "free viewer", verdict = "failed", severity = "medium" },
  { account_id = "free admin", verdict = "failed", severity = "critical" },
  { account_id = "no e-mail", verdict = "unknown" },
  { account_id = "status unknown", verdict = "unknown" },
]
population = 9
*/
/* example
name = "without the organization's domains every account is unknown"
given."graph.accounts" = [ { source = "s", account_id = "a", status = "active", email_domain = "partner.test", privileged = false } ]
expect = [ { account_id = "a", verdict = "unknown" } ]
population = 1
*/
