/*
title       = "Several accounts, one person"
summary     = "An account of a person with two or more active accounts in the source, at least one of them privileged. One privileged and one ordinary account are allowed."
severity    = "medium"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown')"
reads       = ["graph.accounts"]
grain       = ["source", "account_id"]
needs       = "roster"
remediation = "Keep one ordinary account and, if the work needs it, one privileged account. Deactivate the others."

[controls]
nist = ["AC-5"]
cis  = ["5.4"]
*/
with

people as (
    select
        source, person_id,
        count(*) filter (where status = 'active') as active_count,
        count(*) filter (where status = 'active' and privileged) as privileged_count,
        count(*) as possible_count,
        count(*) filter (where privileged) as possible_privileged_count
    from graph.accounts
    where status in ('active', 'unknown') and person_id is not null
    group by source, person_id
),

-- One privileged and one ordinary account are good practice.
verdicts as (
    select
        account.source, account.account_id, people.active_count, people.privileged_count,
        case
            when account.status = 'unknown' or people.person_id is null then 'unknown'
            when people.privileged_count >= 2 or (people.privileged_count = 1 and people.active_count >= 3) then 'failed'
            -- It depends on accounts of unknown status.
            when people.possible_privileged_count >= 2
                or (people.possible_privileged_count = 1 and people.possible_count >= 3) then 'unknown'
        end as verdict
    from graph.accounts as account
    left join people on people.source = account.source and people.person_id = account.person_id
    where account.status in ('active', 'unknown')
)

select
    source,
    account_id,
    verdict,
    'The person has ' || counted(active_count, 'active account') || ' in this source, ' || privileged_count || ' of them privileged.'
        as detail,
    counted(active_count, 'account') || ', ' || privileged_count || ' privileged' as observed_value,
    'one account, or one ordinary and one privileged' as threshold
from verdicts
where verdict is not null

/* example
name = "two privileged accounts fail, as do two ordinary ones with a privileged one; one of each passes"
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", person_id = "pair", privileged = true },
  { source = "s", account_id = "2", status = "active", person_id = "pair", privileged = false },
  { source = "s", account_id = "3", status = "inactive", person_id = "pair", privileged = true },
  { source = "s", account_id = "4", status = "active", person_id = "two", privileged = true },
  { source = "s", account_id = "5", status = "active", person_id = "two", privileged = true },
  { source = "s", account_id = "6", status = "active", person_id = "three", privileged = true },
  { source = "s", account_id = "7", status = "active", person_id = "three", privileged = false },
  { source = "s", account_id = "8", status = "active", person_id = "three", privileged = false },
]
expect = [
  { account_id = "4", verdict = "failed" }, { account_id = "5", verdict = "failed", observed_value = "2 accounts, 2 privileged" },
  { account_id = "6", verdict = "failed" }, { account_id = "7", verdict = "failed" }, { account_id = "8", verdict = "failed" },
]
population = 7
*/
/* example
name = "no privileged account, or accounts in two sources, passes; an unknown status or a missing person is unknown"
given."graph.accounts" = [
  { source = "s", account_id = "4", status = "active", person_id = "plain", privileged = false },
  { source = "s", account_id = "5", status = "active", person_id = "plain", privileged = false },
  { source = "s", account_id = "6", status = "active", person_id = "apart", privileged = true },
  { source = "t", account_id = "7", status = "active", person_id = "apart", privileged = true },
  { source = "s", account_id = "8", status = "active", person_id = "perhaps", privileged = true },
  { source = "s", account_id = "9", status = "unknown", person_id = "perhaps", privileged = true },
  { source = "s", account_id = "10", status = "active", privileged = true },
  { source = "s", account_id = "11", status = "active", person_id = "pair", privileged = true },
  { source = "s", account_id = "12", status = "unknown", person_id = "pair", privileged = false },
]
expect = [
  { account_id = "8", verdict = "unknown" }, { account_id = "9", verdict = "unknown" }, { account_id = "10", verdict = "unknown" },
  { account_id = "12", verdict = "unknown" },
]
population = 9
*/
