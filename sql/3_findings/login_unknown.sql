/*
title       = "Last login cannot be read"
summary     = "An active account whose last login and activity are unreadable or lie in the future, in a source that gives them for others."
severity    = "info"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown')"
reads       = ["graph.accounts", "graph.sources"]
grain       = ["source", "account_id"]
remediation = "Look the account up in the source; until its last use is known, treat it as unused."

[controls]
soc2 = ["CC6.2"]

[effects.risk]
factor     = "login"
likelihood = 2
*/
with

judged as (
    select
        account.source, account.account_id,
        case
            when account.status = 'unknown' then 'unknown'
            -- Where the source says nothing about anybody, that is a finding on the source.
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
    'The source gives a last login or activity that is no moment in the past.' as detail,
    'unreadable' as observed_value,
    'a moment in the past' as threshold
from judged
where verdict is not null

/* example
name = "unreadable fails, never and seen pass; where the source gives nothing for anybody it is the source that fails"
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
