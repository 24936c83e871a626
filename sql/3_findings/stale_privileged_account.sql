/*
title       = "Stale privileged account"
summary     = "An active privileged account that has not been used for longer than the limit for privileged accounts."
severity    = "high"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown') and privileged"
reads       = ["graph.accounts"]
grain       = ["source", "account_id"]
remediation = "Lower the role, deactivate the account, or record who needs it and why."

[params]
stale_after_days    = 45
critical_after_days = 90

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.8.2"]
nist     = ["AC-2(3)", "AC-6(7)"]
cis      = ["5.3"]

[effects]
recommendation = "remove"
on             = "account"
reason         = "The privileged account has not been used for a long time."
deactivates    = true

[effects.risk]
factor     = "stale"
likelihood = 3
*/
with

verdicts as (
    select
        source, account_id, last_seen_at, days_since_seen, account_type, is_registered,
        case
            when status = 'unknown' or login_state = 'unknown' then 'unknown'
            when last_seen_at < $as_of - interval ($stale_after_days) day then 'failed'
        end as verdict
    from graph.accounts
    where status in ('active', 'unknown') and privileged
)

select
    source,
    account_id,
    verdict,
    case when last_seen_at < $as_of - interval ($critical_after_days) day then 'critical' else 'high' end as severity,
    case
        -- On the day of the limit, times show that it has passed; dates alone would not.
        when days_since_seen = $stale_after_days
            then 'Last seen ' || strftime(last_seen_at, '%-d %b %Y %H:%M') || ' UTC, more than '
                || counted($stale_after_days, 'day') || ' before ' || strftime($as_of, '%-d %b %Y %H:%M') || ' UTC.'
        else 'Last seen ' || strftime(last_seen_at, '%-d %b %Y') || ', ' || counted(days_since_seen, 'day') || ' ago.'
    end || case
        when account_type = 'break_glass' and is_registered
            then ' It is registered as a break-glass account, which should be unused: record an exception if it stays.'
        else ''
    end as detail,
    counted(days_since_seen, 'day') as observed_value,
    counted($stale_after_days, 'day') as threshold
from verdicts
where verdict is not null

/* example
name = "last seen one second before the limit fails, at the limit passes"
as_of = 2026-04-01T00:00:00Z
given."graph.accounts" = [
  { source = "s", account_id = "older", status = "active", privileged = true, login_state = "seen", last_seen_at = 2026-02-14T23:59:59Z, days_since_seen = 45 },
  { source = "s", account_id = "at the limit", status = "active", privileged = true, login_state = "seen", last_seen_at = 2026-02-15T00:00:00Z, days_since_seen = 45 },
  { source = "s", account_id = "at the critical limit", status = "active", privileged = true, login_state = "seen", last_seen_at = 2026-01-01T00:00:00Z, days_since_seen = 90 },
  { source = "s", account_id = "past it", status = "active", privileged = true, login_state = "seen", last_seen_at = 2025-12-31T23:59:59Z, days_since_seen = 90 },
  { source = "s", account_id = "not privileged", status = "active", privileged = false, login_state = "seen", last_seen_at = 2020-01-01T00:00:00Z, days_since_seen = 2282 },
  { source = "s", account_id = "login unknown", status = "active", privileged = true, login_state = "unknown" },
  { source = "s", account_id = "status unknown", status = "unknown", privileged = true, login_state = "seen", last_seen_at = 2026-03-31T00:00:00Z },
]
expect = [
  { account_id = "older", verdict = "failed", severity = "high" },
  { account_id = "at the critical limit", verdict = "failed", severity = "high" },
  { account_id = "past it", verdict = "failed", severity = "critical" },
  { account_id = "login unknown", verdict = "unknown" },
  { account_id = "status unknown", verdict = "unknown" },
]
population = 6
*/

/* example
name = "a registered break-glass account fails too, and the finding says why it may be unused"
as_of = 2026-04-01T00:00:00Z
given."graph.accounts" = [
  { source = "s", account_id = "registered", status = "active", account_type = "break_glass", is_registered = true, privileged = true, login_state = "seen", last_seen_at = 2026-01-31T00:00:00Z, days_since_seen = 60 },
  { source = "s", account_id = "declared", status = "active", account_type = "break_glass", is_registered = false, privileged = true, login_state = "seen", last_seen_at = 2026-01-31T00:00:00Z, days_since_seen = 60 },
]
expect = [
  { account_id = "registered", verdict = "failed", detail = "Last seen 31 Jan 2026, 60 days ago. It is registered as a break-glass account, which should be unused: record an exception if it stays." },
  { account_id = "declared", verdict = "failed", detail = "Last seen 31 Jan 2026, 60 days ago." },
]
population = 2
*/
