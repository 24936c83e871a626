/*
title       = "Role raised since the baseline"
summary     = "An account whose role ranks higher than in the baseline."
severity    = "medium"
population  = "select source, account_id from graph.accounts"
reads       = ["graph.accounts", "graph.baseline_sources", "baseline.accounts"]
grain       = ["source", "account_id"]
needs       = "baseline"
remediation = "Compare it with the approved request. If there is none, lower the role again."

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.5.18"]
*/
with

verdicts as (
    select
        account.source, account.account_id, account.role_rank, earlier.role_rank as earlier_rank,
        account.privileged and not earlier.privileged as becomes_privileged,
        case
            when compared_sources.source is null then 'unknown'
            when earlier.account_id is null then null
            when account.role_rank is null or earlier.role_rank is null then 'unknown'
            when account.role_rank > earlier.role_rank then 'failed'
        end as verdict
    from graph.accounts as account
    left join graph.baseline_sources as compared_sources on compared_sources.source = account.source
    left join baseline.accounts as earlier
        on earlier.source = account.source and earlier.account_id = account.account_id
)

select
    source,
    account_id,
    verdict,
    case when becomes_privileged then 'high' else 'medium' end as severity,
    'The rank of the role rose from ' || earlier_rank || ' to ' || role_rank || '.' as detail,
    'rank ' || role_rank as observed_value,
    'rank ' || earlier_rank as threshold
from verdicts
where verdict is not null

/* example
name = "a higher rank fails, with high severity if the account becomes privileged; equal, lower and new pass; unranked is unknown"
given."graph.baseline_sources" = [ { source = "s" } ]
given."baseline.accounts" = [
  { source = "s", account_id = "up", role_rank = 10, privileged = false }, { source = "s", account_id = "far up", role_rank = 50, privileged = false },
  { source = "s", account_id = "further up", role_rank = 70, privileged = true }, { source = "s", account_id = "same", role_rank = 30, privileged = false },
  { source = "s", account_id = "down", role_rank = 90, privileged = true }, { source = "s", account_id = "unranked before", privileged = true },
  { source = "s", account_id = "unranked now", role_rank = 10, privileged = false },
]
given."graph.accounts" = [
  { source = "s", account_id = "up", role_rank = 11, privileged = false }, { source = "s", account_id = "far up", role_rank = 70, privileged = true },
  { source = "s", account_id = "further up", role_rank = 90, privileged = true }, { source = "s", account_id = "same", role_rank = 30, privileged = false },
  { source = "s", account_id = "down", role_rank = 10, privileged = false }, { source = "s", account_id = "unranked before", role_rank = 10, privileged = false },
  { source = "s", account_id = "unranked now", privileged = true }, { source = "s", account_id = "new", role_rank = 90, privileged = true },
]
expect = [
  { account_id = "up", verdict = "failed", severity = "medium" },
  { account_id = "far up", verdict = "failed", severity = "high" },
  { account_id = "further up", verdict = "failed", severity = "medium" },
  { account_id = "unranked before", verdict = "unknown" },
  { account_id = "unranked now", verdict = "unknown" },
]
population = 8
*/
/* example
name = "without a baseline every account is unknown"
given."graph.accounts" = [ { source = "s", account_id = "a", role_rank = 90, privileged = true } ]
expect = [ { account_id = "a", verdict = "unknown" } ]
population = 1
*/
