/*
title       = "Several accounts for one address or person"
summary     = "An active account that shares its e-mail address, case and +tag aside, or its person with another one in the source."
severity    = "medium"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown')"
reads       = ["graph.accounts"]
grain       = ["source", "account_id"]
remediation = "Keep the account that is used, and disable the others."

[controls]
iso27001 = ["A.5.16"]
pci      = ["8.2.1"]
cis      = ["5.1"]
*/
with

accounts as (
    select
        source, account_id, status, person_id,
        case when email_domain is not null then regexp_replace(email_key, '\+[^@]*@', '@') end as address
    from graph.accounts
    where status in ('active', 'unknown')
),

addresses as (
    select source, address, count(*) filter (where status = 'active') as active_count, count(*) as possible_count
    from accounts
    where address is not null
    group by source, address
    having count(*) > 1
),

people as (
    select source, person_id, count(*) filter (where status = 'active') as active_count, count(*) as possible_count
    from accounts
    where person_id is not null
    group by source, person_id
    having count(*) > 1
),

judged as (
    select
        account.source, account.account_id, account.address, addresses.active_count as address_count,
        people.active_count as person_count,
        case
            when account.status = 'unknown' then 'unknown'
            when addresses.active_count > 1 or people.active_count > 1 then 'failed'
            -- shared with an account of unknown status, or nothing that could be shared is known
            when addresses.possible_count > 1 or people.possible_count > 1 then 'unknown'
            when account.address is null and account.person_id is null then 'unknown'
        end as verdict
    from accounts as account
    left join addresses on addresses.source = account.source and addresses.address = account.address
    left join people on people.source = account.source and people.person_id = account.person_id
)

select
    source,
    account_id,
    verdict,
    case
        when person_count > 1 then person_count || ' active accounts belong to the same person.'
        else address_count || ' active accounts share the address ' || address || '.'
    end as detail,
    greatest(coalesce(address_count, 0), coalesce(person_count, 0)) || ' accounts' as observed_value,
    'one account' as threshold
from judged
where verdict is not null

/* example
name = "case and tag aside the same address, or one person, fails for each; inactive ones and other sources do not count"
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", email_key = "ada@example.com", email_domain = "example.com" },
  { source = "s", account_id = "2", status = "active", email_key = "ada+bi@example.com", email_domain = "example.com" },
  { source = "s", account_id = "3", status = "active", email_key = "bo@example.com", email_domain = "example.com", person_id = "p" },
  { source = "s", account_id = "4", status = "active", email_key = "adm-bo@example.com", email_domain = "example.com", person_id = "p" },
  { source = "s", account_id = "5", status = "active", email_key = "cy@example.com", email_domain = "example.com" },
  { source = "s", account_id = "6", status = "inactive", email_key = "cy@example.com", email_domain = "example.com" },
  { source = "t", account_id = "7", status = "active", email_key = "cy@example.com", email_domain = "example.com" },
  { source = "s", account_id = "8", status = "active", email_key = "di@example.com", email_domain = "example.com" },
  { source = "s", account_id = "9", status = "unknown", email_key = "di@example.com", email_domain = "example.com" },
  { source = "s", account_id = "10", status = "active" },
  { source = "s", account_id = "11", status = "active" },
]
expect = [
  { account_id = "1", verdict = "failed" }, { account_id = "2", verdict = "failed" },
  { account_id = "3", verdict = "failed" }, { account_id = "4", verdict = "failed" },
  { account_id = "8", verdict = "unknown" }, { account_id = "9", verdict = "unknown" },
  { account_id = "10", verdict = "unknown" }, { account_id = "11", verdict = "unknown" },
]
population = 10
*/
