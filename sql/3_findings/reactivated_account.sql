/*
title       = "Disabled account switched on again"
summary     = "An active account that was inactive in the baseline."
severity    = "medium"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown')"
reads       = ["graph.accounts", "baseline.accounts"]
grain       = ["source", "account_id"]
needs       = "baseline"
remediation = "Ask who switched it on and on whose request; disable it again if nobody asked."

[controls]
soc2 = ["CC6.2"]
nist = ["AC-2(4)"]
*/
with

-- A source that the baseline does not know cannot be compared.
compared as (
    select distinct source from baseline.accounts
),

judged as (
    select
        account.source, account.account_id,
        case
            when account.status = 'unknown' or compared.source is null or earlier.status = 'unknown' then 'unknown'
            when earlier.status = 'inactive' then 'failed'
        end as verdict
    from graph.accounts as account
    left join compared on compared.source = account.source
    left join baseline.accounts as earlier
        on earlier.source = account.source and earlier.account_id = account.account_id
    where account.status in ('active', 'unknown')
)

select
    source,
    account_id,
    verdict,
    'The account was disabled in the baseline and is active now.' as detail,
    'active' as observed_value,
    'inactive in the baseline' as threshold
from judged
where verdict is not null

/* example
name = "inactive before fails; an accepted invitation and a new account pass; what was or is unknown stays so"
given."baseline.accounts" = [
  { source = "s", account_id = "back", status = "inactive" }, { source = "s", account_id = "invited", status = "pending" },
  { source = "s", account_id = "not known before", status = "unknown" }, { source = "s", account_id = "not known now", status = "inactive" },
  { source = "s", account_id = "still off", status = "inactive" },
]
given."graph.accounts" = [
  { source = "s", account_id = "back", status = "active" }, { source = "s", account_id = "invited", status = "active" },
  { source = "s", account_id = "new", status = "active" }, { source = "s", account_id = "not known before", status = "active" },
  { source = "s", account_id = "not known now", status = "unknown" }, { source = "s", account_id = "still off", status = "inactive" },
]
expect = [
  { account_id = "back", verdict = "failed" },
  { account_id = "not known before", verdict = "unknown" },
  { account_id = "not known now", verdict = "unknown" },
]
population = 5
*/
/* example
name = "without a baseline nobody is judged"
given."graph.accounts" = [ { source = "s", account_id = "a", status = "active" } ]
expect = [ { account_id = "a", verdict = "unknown" } ]
population = 1
*/
