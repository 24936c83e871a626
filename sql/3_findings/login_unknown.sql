/*
title       = "Unreadable last login"
summary     = "An active account whose last login and activity are unreadable or in the future, in a source that gives them for other accounts."
severity    = "info"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown')"
reads       = ["graph.accounts", "graph.sources"]
grain       = ["source", "account_id"]
remediation = "Look the account up in the source. Until its last use is known, treat it as stale."

[controls]
soc2 = ["CC6.2"]

[effects.risk]
factor     = "login"
likelihood = 2
*/
with

verdicts as (
    select
        account.source, account.account_id,
        case
            when account.status = 'unknown' then 'unknown'
            -- If the source gives no login data at all, that is one finding on the source.
            when source.gives_last_seen and account.login_state = 'unknown' then 'failed'
        end as verdict
    from graph.accounts as account
    join graph.sources as source on source.source = account.source
    where account.status in ('active', 'unknown')
)

select
    source,
    account_id,
    verdict,
    'The last login or activity is unreadable or in the future.' as detail,
    'unreadable' as observed_value,
    'a time in the past' as threshold
from verdicts
where verdict is not null

/* example
name = "unreadable fails, never and seen pass; if the source gives no login data at all, its accounts pass"
given."graph.sources" = [ { source = "s", gives_last_seen = true }, { source = "mute", gives_last_seen = false } ]
given."graph.accounts" = [
  { source = "s", account_id = "unreadable", status = "active", login_state = "unknown" },
  { source = "s", account_id = "never", status = "active", login_state = "never" },
  { source = "s", account_id = "seen", status = "active", login_state = "seen" },
  { source = "s", account_id = "inactive", status = "inactive", login_state = "unknown" },
  { source = "s", account_id = "status unknown", status = "unknown", login_state = "seen" },
  { source = "mute", account_id = "mute", status = "active", login_state = "unknown" },
]
expect = [
  { account_id = "unreadable", verdict = "failed" },
  { account_id = "status unknown", verdict = "unknown" },
]
population = 5
*/
