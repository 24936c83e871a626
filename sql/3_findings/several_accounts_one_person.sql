/*
title       = "One person with several accounts, one of them privileged"
summary     = "An account of a person who has two or more active accounts in the source, at least one of them privileged."
severity    = "medium"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown')"
reads       = ["graph.accounts"]
grain       = ["source", "account_id"]
remediation = "Keep one account, or register the second one with its purpose."

[controls]
nist = ["AC-5"]
cis  = ["5.4"]
*/
with

people as (
    select
        source, person_id,
        count(*) filter (where status = 'active') as active_count,
        coalesce(bool_or(privileged) filter (where status = 'active'), false) as has_privileged,
        count(*) as possible_count,
        bool_or(privileged) as may_have_privileged
    from graph.accounts
    where status in ('active', 'unknown') and person_id is not null
    group by source, person_id
),

judged as (
    select
        account.source, account.account_id, people.active_count,
        case
            when account.status = 'unknown' or people.person_id is null then 'unknown'
            when people.active_count >= 2 and people.has_privileged then 'failed'
            -- an account of unknown status would make it so
            when people.possible_count >= 2 and people.may_have_privileged then 'unknown'
        end as verdict
    from graph.accounts as account
    left join people on people.source = account.source and people.person_id = account.person_id
    where account.status in ('active', 'unknown')
)

select
    source,
    account_id,
    verdict,
    'The person has ' || active_count || ' active accounts here, at least one of them privileged.' as detail,
    active_count || ' accounts' as observed_value,
    'one account, or none privileged' as threshold
from judged
where verdict is not null

/* example
name = "each account of the set fails; none privileged, or in two sources, passes; nobody's account is unknown"
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", person_id = "two", privileged = true },
  { source = "s", account_id = "2", status = "active", person_id = "two", privileged = false },
  { source = "s", account_id = "3", status = "inactive", person_id = "two", privileged = false },
  { source = "s", account_id = "4", status = "active", person_id = "plain", privileged = false },
  { source = "s", account_id = "5", status = "active", person_id = "plain", privileged = false },
  { source = "s", account_id = "6", status = "active", person_id = "apart", privileged = true },
  { source = "t", account_id = "7", status = "active", person_id = "apart", privileged = true },
  { source = "s", account_id = "8", status = "active", person_id = "perhaps", privileged = true },
  { source = "s", account_id = "9", status = "unknown", person_id = "perhaps", privileged = false },
  { source = "s", account_id = "10", status = "active", privileged = true },
]
expect = [
  { account_id = "1", verdict = "failed" }, { account_id = "2", verdict = "failed" },
  { account_id = "8", verdict = "unknown" }, { account_id = "9", verdict = "unknown" }, { account_id = "10", verdict = "unknown" },
]
population = 9
*/
