/*
title       = "Used after the last day"
summary     = "An account that was used after the last day of the person it belongs to."
severity    = "critical"
population  = "select source, account_id from graph.accounts"
reads       = ["graph.accounts", "graph.people"]
grain       = ["source", "account_id"]
needs       = "roster"
remediation = "Treat this as an incident: deactivate the account if it is still active, and find out who used it and for what."

[controls]
soc2 = ["CC6.2", "CC7.3"]
nist = ["AC-2"]

[effects]
recommendation = "remove"
on             = "account"
reason         = "The person has left."
comes_first    = true
event          = "login_after_end"
event_when_used = true

[effects.risk]
factor     = "leaver"
likelihood = 9
*/
with

verdicts as (
    select
        account.source, account.account_id, account.last_seen_at, person.end_date,
        case
            when person.person_id is null then 'unknown'
            when account.login_state = 'never' then null
            -- Without a last day, use before and after it cannot be distinguished.
            when person.end_date is null and coalesce(person.employment_status, 'ended') = 'ended' then 'unknown'
            when person.end_date is null then null
            when account.last_seen_at is null then 'unknown'
            when cast(account.last_seen_at as date) > person.end_date then 'failed'
            when account.has_unreadable_times then 'unknown'
        end as verdict
    from graph.accounts as account
    left join graph.people as person on person.person_id = account.person_id
)

select
    source,
    account_id,
    verdict,
    'Last seen ' || strftime(last_seen_at, '%-d %b %Y') || '; the last day was ' || strftime(end_date, '%-d %b %Y') || '.'
        as detail,
    strftime(last_seen_at, '%-d %b %Y') as observed_value,
    'last day ' || strftime(end_date, '%-d %b %Y') as threshold
from verdicts
where verdict is not null

/* example
name = "use in the last second of the last day passes, in the first of the next day fails, whatever the status"
given."graph.people" = [
  { person_id = "left", employment_status = "ended", end_date = 2026-03-01 },
  { person_id = "left some day", employment_status = "ended" },
  { person_id = "here", employment_status = "active" },
]
given."graph.accounts" = [
  { source = "s", account_id = "after", status = "inactive", person_id = "left", login_state = "seen", last_seen_at = 2026-03-02T00:00:00Z },
  { source = "s", account_id = "on it", status = "active", person_id = "left", login_state = "seen", last_seen_at = 2026-03-01T23:59:59Z },
  { source = "s", account_id = "never", status = "active", person_id = "left", login_state = "never" },
  { source = "s", account_id = "unreadable", status = "active", person_id = "left", login_state = "unknown" },
  { source = "s", account_id = "no last day", status = "active", person_id = "left some day", login_state = "seen", last_seen_at = 2026-03-02T00:00:00Z },
  { source = "s", account_id = "here", status = "active", person_id = "here", login_state = "seen", last_seen_at = 2026-03-02T00:00:00Z },
  { source = "s", account_id = "nobody's", status = "active", login_state = "seen", last_seen_at = 2026-03-02T00:00:00Z },
]
expect = [
  { account_id = "after", verdict = "failed" },
  { account_id = "unreadable", verdict = "unknown" },
  { account_id = "no last day", verdict = "unknown" },
  { account_id = "nobody's", verdict = "unknown" },
]
population = 7
*/
