/*
title       = "Leaver still active"
summary     = "An active account of a person whose employment has ended."
severity    = "critical"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown')"
reads       = ["graph.accounts", "graph.people"]
grain       = ["source", "account_id"]
needs       = "roster"
remediation = "Deactivate the account today, and check how it was used after the last day."

[controls]
soc2     = ["CC6.2"]
iso27001 = ["A.5.18"]
pci      = ["8.2.5"]
nist     = ["AC-2", "PS-4"]
hipaa    = ["164.308(a)(3)(ii)(C)"]

[effects]
recommendation = "remove"
on             = "account"
reason         = "The person has left."
comes_first    = true
deactivates    = true
headline       = "leavers_active"
event          = "active_leaver"

[effects.risk]
factor     = "leaver"
likelihood = 9
*/
with

verdicts as (
    select
        account.source, account.account_id, account.last_seen_at, account.login_state, person.employment_status,
        person.end_date,
        case
            -- The roster cannot tell whether an unmatched account belongs to a leaver.
            when account.status = 'unknown' or person.person_id is null then 'unknown'
            when person.employment_status = 'ended' or person.end_date <= cast($as_of as date) then 'failed'
            when person.employment_status is null and person.end_date is null then 'unknown'
        end as verdict
    from graph.accounts as account
    left join graph.people as person on person.person_id = account.person_id
    where account.status in ('active', 'unknown')
)

select
    source,
    account_id,
    verdict,
    case
        when end_date is null then 'The roster says that the employment has ended, but gives no last day.'
        when end_date > cast($as_of as date)
            then 'The roster says that the employment has ended, with ' || strftime(end_date, '%-d %b %Y') || ' as last day.'
        when end_date = cast($as_of as date)
            then 'Left on ' || strftime(end_date, '%-d %b %Y') || ', the day of this review.'
        else 'Left on ' || strftime(end_date, '%-d %b %Y') || ', '
            || counted(date_diff('day', end_date, cast($as_of as date)), 'day') || ' ago.'
    end
        || case
            when login_state = 'unknown' then ' It is not known whether the account was used since then.'
            when login_state = 'never' then ' The account was never used.'
            when end_date is null then ' Last seen ' || strftime(last_seen_at, '%-d %b %Y') || '.'
            when cast(last_seen_at as date) > end_date
                then ' Used afterwards: last seen ' || strftime(last_seen_at, '%-d %b %Y') || ', '
                    || counted(date_diff('day', end_date, cast(last_seen_at as date)), 'day') || ' later.'
            else ' Not used after that day; last seen ' || strftime(last_seen_at, '%-d %b %Y') || '.'
        end as detail,
    coalesce('last day ' || strftime(end_date, '%-d %b %Y'), 'employment ended') as observed_value,
    'active until the last day' as threshold
from verdicts
where verdict is not null

/* example
name = "a last day on the day of as-of fails, a later one passes; an account without a person is unknown"
as_of = 2026-04-01T09:00:00Z
given."graph.people" = [
  { person_id = "ended", employment_status = "ended" },
  { person_id = "last day today", employment_status = "active", end_date = 2026-04-01 },
  { person_id = "last day tomorrow", employment_status = "active", end_date = 2026-04-02 },
  { person_id = "says nothing" },
  { person_id = "on leave", employment_status = "leave" },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", person_id = "ended" },
  { source = "s", account_id = "2", status = "active", person_id = "last day today" },
  { source = "s", account_id = "3", status = "active", person_id = "last day tomorrow" },
  { source = "s", account_id = "4", status = "active", person_id = "says nothing" },
  { source = "s", account_id = "5", status = "active", person_id = "on leave" },
  { source = "s", account_id = "6", status = "active" },
  { source = "s", account_id = "7", status = "unknown", person_id = "ended" },
  { source = "s", account_id = "8", status = "inactive", person_id = "ended" },
]
expect = [
  { account_id = "1", verdict = "failed" },
  { account_id = "2", verdict = "failed" },
  { account_id = "4", verdict = "unknown" },
  { account_id = "6", verdict = "unknown" },
  { account_id = "7", verdict = "unknown" },
]
population = 7
*/
/* example
name = "the detail says when the person left, and whether the account was used since"
as_of = 2026-04-02T09:00:00Z
given."graph.people" = [
  { person_id = "p", employment_status = "ended", end_date = 2026-04-01 }, { person_id = "q", employment_status = "ended" },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", person_id = "p", login_state = "seen", last_seen_at = 2026-04-01T23:59:59Z },
  { source = "s", account_id = "2", status = "active", person_id = "p", login_state = "seen", last_seen_at = 2026-04-02T00:00:00Z },
  { source = "s", account_id = "3", status = "active", person_id = "p", login_state = "never" },
  { source = "s", account_id = "4", status = "active", person_id = "p", login_state = "unknown" },
  { source = "s", account_id = "5", status = "active", person_id = "q", login_state = "seen", last_seen_at = 2026-04-01T23:59:59Z },
]
expect = [
  { account_id = "1", detail = "Left on 1 Apr 2026, 1 day ago. Not used after that day; last seen 1 Apr 2026." },
  { account_id = "2", detail = "Left on 1 Apr 2026, 1 day ago. Used afterwards: last seen 2 Apr 2026, 1 day later." },
  { account_id = "3", detail = "Left on 1 Apr 2026, 1 day ago. The account was never used." },
  { account_id = "4", detail = "Left on 1 Apr 2026, 1 day ago. It is not known whether the account was used since then." },
  { account_id = "5", detail = "The roster says that the employment has ended, but gives no last day. Last seen 1 Apr 2026." },
]
population = 5
*/
/* example
name = "without a roster every account is unknown"
given."graph.accounts" = [ { source = "s", account_id = "1", status = "active" } ]
expect = [ { account_id = "1", verdict = "unknown" } ]
population = 1
*/
