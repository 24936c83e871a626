/*
title       = "Stale account"
summary     = "An active account that has not been used for longer than the limit."
severity    = "medium"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown') and not privileged"
reads       = ["graph.accounts"]
grain       = ["source", "account_id"]
remediation = "Deactivate the account, or record who needs it and why. An attacker who takes over a stale account is rarely noticed."

[params]
stale_after_days = 90
high_after_days  = 180

[controls]
soc2     = ["CC6.2"]
iso27001 = ["A.5.18"]
pci      = ["8.2.6"]
nist     = ["AC-2(3)"]
cis      = ["5.3"]

[effects]
recommendation = "remove"
on             = "account"
reason         = "The account has not been used for a long time."
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
    where status in ('active', 'unknown') and not privileged
)

select
    source,
    account_id,
    verdict,
    case when last_seen_at < $as_of - interval ($high_after_days) day then 'high' else 'medium' end as severity,
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
  { source = "s", account_id = "older", status = "active", privileged = false, login_state = "seen", last_seen_at = 2025-12-31T23:59:59Z, days_since_seen = 90 },
  { source = "s", account_id = "at the limit", status = "active", privileged = false, login_state = "seen", last_seen_at = 2026-01-01T00:00:00Z, days_since_seen = 90 },
  { source = "s", account_id = "at the high limit", status = "active", privileged = false, login_state = "seen", last_seen_at = 2025-10-03T00:00:00Z, days_since_seen = 180 },
  { source = "s", account_id = "past the high limit", status = "active", privileged = false, login_state = "seen", last_seen_at = 2025-10-02T23:59:59Z, days_since_seen = 180 },
]
expect = [
  { account_id = "older", verdict = "failed", severity = "medium" },
  { account_id = "at the high limit", verdict = "failed", severity = "medium" },
  { account_id = "past the high limit", verdict = "failed", severity = "high" },
]
population = 4
*/
/* example
name = "other rules evaluate privileged, inactive and never used accounts; an unknown login or status is unknown"
given."graph.accounts" = [
  { source = "s", account_id = "privileged", status = "active", privileged = true, login_state = "seen", last_seen_at = 2020-01-01T00:00:00Z },
  { source = "s", account_id = "inactive", status = "inactive", privileged = false, login_state = "seen", last_seen_at = 2020-01-01T00:00:00Z },
  { source = "s", account_id = "never", status = "active", privileged = false, login_state = "never" },
  { source = "s", account_id = "login unknown", status = "active", privileged = false, login_state = "unknown" },
  { source = "s", account_id = "status unknown", status = "unknown", privileged = false, login_state = "seen", last_seen_at = 2020-01-01T00:00:00Z },
]
expect = [ { account_id = "login unknown", verdict = "unknown" }, { account_id = "status unknown", verdict = "unknown" } ]
population = 3
*/
