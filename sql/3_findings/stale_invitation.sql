/*
title       = "Stale invitation"
summary     = "An invitation that is older than the limit and was never accepted."
severity    = "low"
population  = "select source, account_id from graph.accounts where status in ('pending', 'unknown')"
reads       = ["graph.accounts"]
grain       = ["source", "account_id"]
remediation = "Withdraw the invitation. Invite the person again when they need access."

[params]
pending_after_days = 14

[controls]
soc2 = ["CC6.2"]

[effects]
recommendation = "remove"
on             = "account"
reason         = "The invitation was never accepted."
*/
with

verdicts as (
    select
        source, account_id, created_at, age_days,
        case
            when status = 'unknown' or created_at is null then 'unknown'
            when created_at < $as_of - interval ($pending_after_days) day then 'failed'
        end as verdict
    from graph.accounts
    where status in ('pending', 'unknown')
)

select
    source,
    account_id,
    verdict,
    'Invited ' || strftime(created_at, '%-d %b %Y') || ', ' || counted(age_days, 'day') || ' ago.' as detail,
    counted(age_days, 'day') as observed_value,
    counted($pending_after_days, 'day') as threshold
from verdicts
where verdict is not null

/* example
name = "one second past the limit fails, at the limit passes, without a date it is unknown"
as_of = 2026-04-01T00:00:00Z
given."graph.accounts" = [
  { source = "s", account_id = "past", status = "pending", created_at = 2026-03-17T23:59:59Z, age_days = 14 },
  { source = "s", account_id = "at the limit", status = "pending", created_at = 2026-03-18T00:00:00Z, age_days = 14 },
  { source = "s", account_id = "no date", status = "pending" },
  { source = "s", account_id = "status unknown", status = "unknown", created_at = 2020-01-01T00:00:00Z },
  { source = "s", account_id = "active", status = "active", created_at = 2020-01-01T00:00:00Z },
]
expect = [
  { account_id = "past", verdict = "failed" },
  { account_id = "no date", verdict = "unknown" },
  { account_id = "status unknown", verdict = "unknown" },
]
population = 4
*/
