/*
title       = "Account never used"
summary     = "An active account that has never been used and is older than the grace period."
severity    = "medium"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown')"
reads       = ["graph.accounts"]
grain       = ["source", "account_id"]
remediation = "Ask the person who requested the account whether it is still needed; if not, deactivate it."

[params]
grace_days            = 30
privileged_grace_days = 14

[controls]
soc2 = ["CC6.2"]
nist = ["AC-2(3)"]
cis  = ["5.3"]

[effects]
recommendation = "remove"
on             = "account"
reason         = "The account has never been used."
deactivates    = true

[effects.risk]
factor     = "login"
likelihood = 2
*/
with

accounts as (
    select
        *,
        case when privileged then $privileged_grace_days else $grace_days end as grace
    from graph.accounts
    where status in ('active', 'unknown')
),

verdicts as (
    select
        *,
        case
            when status = 'unknown' or login_state = 'unknown' then 'unknown'
            -- An account without a creation date gets no grace period.
            when login_state = 'never' and (created_at is null or created_at < $as_of - interval (grace) day)
                then 'failed'
        end as verdict
    from accounts
)

select
    source,
    account_id,
    verdict,
    case when privileged then 'high' else 'medium' end as severity,
    case
        when created_at is null then 'Never used; the source gives no readable creation date.'
        else 'Created ' || strftime(created_at, '%-d %b %Y') || ', ' || counted(age_days, 'day') || ' ago, and never used.'
    end || case
        when account_type = 'break_glass' and is_registered
            then ' It is registered as a break-glass account, which should be unused: record an exception if it stays.'
        else ''
    end as detail,
    case when created_at is null then 'age unknown' else counted(age_days, 'day') || ' old' end as observed_value,
    counted(grace, 'day') as threshold
from verdicts
where verdict is not null

/* example
name = "past the grace period fails, at its end passes; privileged accounts have a shorter one"
as_of = 2026-04-01T00:00:00Z
given."graph.accounts" = [
  { source = "s", account_id = "past", status = "active", privileged = false, login_state = "never", created_at = 2026-03-01T23:59:59Z, age_days = 30 },
  { source = "s", account_id = "at its end", status = "active", privileged = false, login_state = "never", created_at = 2026-03-02T00:00:00Z, age_days = 30 },
  { source = "s", account_id = "privileged", status = "active", privileged = true, login_state = "never", created_at = 2026-03-17T23:59:59Z, age_days = 14 },
  { source = "s", account_id = "privileged at its end", status = "active", privileged = true, login_state = "never", created_at = 2026-03-18T00:00:00Z, age_days = 14 },
  { source = "s", account_id = "no date", status = "active", privileged = false, login_state = "never" },
  { source = "s", account_id = "seen", status = "active", privileged = false, login_state = "seen", created_at = 2020-01-01T00:00:00Z },
  { source = "s", account_id = "login unknown", status = "active", privileged = false, login_state = "unknown", created_at = 2020-01-01T00:00:00Z },
  { source = "s", account_id = "status unknown", status = "unknown", privileged = false, login_state = "never", created_at = 2020-01-01T00:00:00Z },
  { source = "s", account_id = "invited", status = "pending", privileged = false, login_state = "never", created_at = 2020-01-01T00:00:00Z },
]
expect = [
  { account_id = "past", verdict = "failed", severity = "medium" },
  { account_id = "privileged", verdict = "failed", severity = "high" },
  { account_id = "no date", verdict = "failed", severity = "medium" },
  { account_id = "login unknown", verdict = "unknown" },
  { account_id = "status unknown", verdict = "unknown" },
]
population = 8
*/
