/*
title       = "Contract ended or without an end date"
summary     = "An active account of a contractor whose contract has ended, or has no end date in the roster."
severity    = "high"
population  = """
select account.source, account.account_id
from graph.accounts as account
left join graph.people as person on person.person_id = account.person_id
where account.status in ('active', 'unknown') and coalesce(person.person_type, 'contractor') = 'contractor'
"""
reads       = ["graph.accounts", "graph.people"]
grain       = ["source", "account_id"]
needs       = "roster"
remediation = "Ask the manager whether the contract continues. If it does, record the new end date in the roster; otherwise deactivate the account."

[controls]
iso27001 = ["A.5.18"]
nist     = ["AC-2(2)"]
cis      = ["5.1"]

[effects]
recommendation = "investigate"
on             = "account"
reason         = "The contract has ended, or its end date is not known."
deactivates    = true
*/
with

verdicts as (
    select
        account.source, account.account_id, person.end_date,
        case
            when account.status = 'unknown' or person.person_type is null then 'unknown'
            when person.end_date is null or person.end_date <= cast($as_of as date) then 'failed'
        end as verdict
    from graph.accounts as account
    left join graph.people as person on person.person_id = account.person_id
    -- An account without a person, or of a person without a type, may be a contractor's.
    where account.status in ('active', 'unknown') and coalesce(person.person_type, 'contractor') = 'contractor'
)

select
    source,
    account_id,
    verdict,
    case when end_date is null then 'low' else 'high' end as severity,
    case
        when end_date is null then 'The roster has no end date for the contract.'
        when end_date = cast($as_of as date)
            then 'The contract ended on ' || strftime(end_date, '%-d %b %Y') || ', the day of this review.'
        else 'The contract ended on ' || strftime(end_date, '%-d %b %Y') || ', '
            || counted(date_diff('day', end_date, cast($as_of as date)), 'day') || ' ago.'
    end as detail,
    coalesce('ended ' || strftime(end_date, '%-d %b %Y'), 'no end date') as observed_value,
    'a current contract' as threshold
from verdicts
where verdict is not null

/* example
name = "on the last day the account fails, before it passes; without an end date severity is low; employees are not in the population"
as_of = 2026-04-01T09:00:00Z
given."graph.people" = [
  { person_id = "ended", person_type = "contractor", end_date = 2026-03-31 },
  { person_id = "last day", person_type = "contractor", end_date = 2026-04-01 },
  { person_id = "tomorrow", person_type = "contractor", end_date = 2026-04-02 },
  { person_id = "open end", person_type = "contractor" },
  { person_id = "employee", person_type = "employee" },
  { person_id = "type unknown", end_date = 2026-03-01 },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", person_id = "ended" },
  { source = "s", account_id = "2", status = "active", person_id = "last day" },
  { source = "s", account_id = "3", status = "active", person_id = "open end" },
  { source = "s", account_id = "4", status = "active", person_id = "employee" },
  { source = "s", account_id = "5", status = "active", person_id = "type unknown" },
  { source = "s", account_id = "6", status = "active" },
  { source = "s", account_id = "7", status = "inactive", person_id = "ended" },
  { source = "s", account_id = "8", status = "unknown", person_id = "ended" },
  { source = "s", account_id = "9", status = "active", person_id = "tomorrow" },
]
expect = [
  { account_id = "1", verdict = "failed", severity = "high", detail = "The contract ended on 31 Mar 2026, 1 day ago." },
  { account_id = "2", verdict = "failed", severity = "high", detail = "The contract ended on 1 Apr 2026, the day of this review." },
  { account_id = "3", verdict = "failed", severity = "low" },
  { account_id = "5", verdict = "unknown" },
  { account_id = "6", verdict = "unknown" },
  { account_id = "8", verdict = "unknown" },
]
population = 7
*/
