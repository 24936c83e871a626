/*
title       = "Reactivated account"
summary     = "An active account that was inactive in the baseline."
severity    = "medium"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown')"
reads       = ["graph.accounts", "graph.baseline_sources", "baseline.accounts"]
grain       = ["source", "account_id"]
needs       = "baseline"
remediation = "Ask who reactivated the account and at whose request. If there was no request, deactivate it again."

[controls]
soc2 = ["CC6.2"]
nist = ["AC-2(4)"]
*/
with

-- A source that the baseline lacks cannot be compared.
verdicts as (
    select
        account.source, account.account_id,
        case
            when account.status = 'unknown' or compared_sources.source is null or earlier.status = 'unknown' then 'unknown'
            when earlier.status = 'inactive' then 'failed'
        end as verdict
    from graph.accounts as account
    left join graph.baseline_sources as compared_sources on compared_sources.source = account.source
    left join baseline.accounts as earlier
        on earlier.source = account.source and earlier.account_id = account.account_id
    where account.status in ('active', 'unknown')
)

select
    source,
    account_id,
    verdict,
    'The account was inactive in the baseline and is active now.' as detail,
    'active' as observed_value,
    'inactive in the baseline' as threshold
from verdicts
where verdict is not null

/* example
name = "inactive in the baseline fails; an accepted invitation and a new account pass; an unknown status, now or before, is unknown"
given."graph.baseline_sources" = [ { source = "s" } ]
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
name = "without a baseline every account is unknown"
given."graph.accounts" = [ { source = "s", account_id = "a", status = "active" } ]
expect = [ { account_id = "a", verdict = "unknown" } ]
population = 1
*/
