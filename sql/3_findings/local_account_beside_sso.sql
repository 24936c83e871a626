/*
title       = "Local password despite single sign-on"
summary     = "An active account with a local password in a source where most accounts come from a directory or single sign-on."
severity    = "medium"
population  = """
select source, account_id from graph.accounts
where status in ('active', 'unknown') and account_type not in ('service', 'break_glass')
"""
reads       = ["graph.accounts"]
grain       = ["source", "account_id"]
remediation = "Move the account to single sign-on, or register it with its purpose."

[params]
sso_share = 0.5

[controls]
soc2     = ["CC6.1"]
iso27001 = ["A.8.5"]
cis      = ["5.6"]
*/
with

shares as (
    select
        source,
        count(*) filter (where origin in ('directory', 'sso', 'scim')) / cast(count(*) as double) as sso_share,
        -- accounts of unknown origin may come from there too
        count(*) filter (where origin <> 'local') / cast(count(*) as double) as possible_share
    from graph.accounts
    group by source
),

verdicts as (
    select
        account.source, account.account_id, account.privileged, shares.sso_share,
        case
            when account.origin in ('directory', 'sso', 'scim') and account.status = 'active' then null
            when shares.possible_share <= $sso_share and account.status = 'active' then null
            when account.status = 'unknown' or account.origin = 'unknown' or shares.sso_share <= $sso_share
                then 'unknown'
            else 'failed'
        end as verdict
    from graph.accounts as account
    -- A left join keeps shares on the build side: with accounts there, every row of a source would share one hash.
    left join shares on shares.source = account.source
    where account.status in ('active', 'unknown') and account.account_type not in ('service', 'break_glass')
)

select
    source,
    account_id,
    verdict,
    case when privileged then 'high' else 'medium' end as severity,
    'A local account; ' || round(100 * sso_share, 1) || ' % of the accounts come from a directory or single sign-on.'
        as detail,
    'local' as observed_value,
    'directory or single sign-on, if more than ' || round(100 * $sso_share, 1) || ' % use it' as threshold
from verdicts
where verdict is not null

/* example
name = "a local account fails if more than half come from elsewhere; exactly half passes; registered accounts are not in the population"
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", account_type = "human", origin = "sso", privileged = false },
  { source = "s", account_id = "2", status = "inactive", account_type = "human", origin = "directory", privileged = false },
  { source = "s", account_id = "3", status = "active", account_type = "human", origin = "directory", privileged = false },
  { source = "s", account_id = "4", status = "active", account_type = "human", origin = "sso", privileged = false },
  { source = "s", account_id = "local", status = "active", account_type = "human", origin = "local", privileged = false },
  { source = "s", account_id = "local admin", status = "active", account_type = "unknown", origin = "local", privileged = true },
  { source = "s", account_id = "robot", status = "active", account_type = "service", origin = "local", privileged = false },
  { source = "half", account_id = "1", status = "active", account_type = "human", origin = "sso", privileged = false },
  { source = "half", account_id = "2", status = "active", account_type = "human", origin = "local", privileged = false },
  { source = "half", account_id = "3", status = "unknown", account_type = "human", origin = "local", privileged = false },
  { source = "half", account_id = "4", status = "active", account_type = "human", origin = "sso", privileged = false },
  { source = "mute", account_id = "1", status = "active", account_type = "human", origin = "unknown", privileged = false },
]
expect = [
  { source = "s", account_id = "local", verdict = "failed", severity = "medium" },
  { source = "s", account_id = "local admin", verdict = "failed", severity = "high" },
  { source = "half", account_id = "3", verdict = "unknown" },
  { source = "mute", account_id = "1", verdict = "unknown" },
]
population = 10
*/
