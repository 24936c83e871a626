/*
title       = "Break-glass account used"
summary     = "A registered break-glass account that was used since the baseline."
severity    = "high"
population  = "select source, account_id from graph.accounts where account_type = 'break_glass'"
reads       = ["graph.accounts", "baseline.snapshot"]
grain       = ["source", "account_id"]
needs       = "baseline"
remediation = "Match the use to an incident, change the password, and seal the account again."

[controls]
iso27001 = ["A.8.2"]
nist     = ["AC-2(2)"]
*/
with

baseline_time as (
    select max(as_of) as compared_at from baseline.snapshot
),

verdicts as (
    select
        account.source, account.account_id, account.last_seen_at, baseline_time.compared_at,
        case
            when baseline_time.compared_at is null or account.login_state = 'unknown' then 'unknown'
            when account.last_seen_at > baseline_time.compared_at then 'failed'
            when account.has_unreadable_times then 'unknown'
        end as verdict
    from graph.accounts as account
    cross join baseline_time
    where account.account_type = 'break_glass'
)

select
    source,
    account_id,
    verdict,
    'Last seen ' || strftime(last_seen_at, '%-d %b %Y %H:%M:%S') || ' UTC, after the baseline of '
        || strftime(compared_at, '%-d %b %Y %H:%M:%S') || ' UTC.' as detail,
    strftime(last_seen_at, '%-d %b %Y %H:%M:%S') as observed_value,
    'no use since ' || strftime(compared_at, '%-d %b %Y %H:%M:%S') as threshold
from verdicts
where verdict is not null

/* example
name = "use one second after the baseline fails, use at its moment passes, an unreadable time is unknown"
given."baseline.snapshot" = [ { snapshot_id = "b", build_id = "b", as_of = 2026-03-01T12:00:00Z, finished_at = 2026-03-01T12:00:00Z } ]
given."graph.accounts" = [
  { source = "s", account_id = "after", account_type = "break_glass", login_state = "seen", last_seen_at = 2026-03-01T12:00:01Z },
  { source = "s", account_id = "at it", account_type = "break_glass", login_state = "seen", last_seen_at = 2026-03-01T12:00:00Z },
  { source = "s", account_id = "never", account_type = "break_glass", login_state = "never" },
  { source = "s", account_id = "unreadable", account_type = "break_glass", login_state = "unknown" },
  { source = "s", account_id = "human", account_type = "human", login_state = "seen", last_seen_at = 2026-03-02T00:00:00Z },
]
expect = [ { account_id = "after", verdict = "failed" }, { account_id = "unreadable", verdict = "unknown" } ]
population = 4
*/
/* example
name = "without a baseline every account is unknown"
given."graph.accounts" = [ { source = "s", account_id = "a", account_type = "break_glass", login_state = "seen", last_seen_at = 2025-12-31T00:00:00Z } ]
expect = [ { account_id = "a", verdict = "unknown" } ]
population = 1
*/
