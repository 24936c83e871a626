/*
title       = "New privileged account"
summary     = "A privileged account that was not privileged in the baseline, or did not exist."
severity    = "high"
population  = "select source, account_id from graph.accounts where privileged"
reads       = ["graph.accounts", "graph.baseline_sources", "baseline.accounts"]
grain       = ["source", "account_id"]
needs       = "baseline"
remediation = "Compare it with the approved request. If there is none, remove the privilege."

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.8.2"]
nist     = ["AC-6(7)"]
*/
with

verdicts as (
    select
        account.source, account.account_id, account.role_id, earlier.account_id is not null as existed_before,
        case
            when compared_sources.source is null then 'unknown'
            -- An unreadable role counts as privileged, so it cannot show a change.
            when list_contains(account.unreadable_fields, 'roleId') or list_contains(earlier.unreadable_fields, 'roleId')
                then 'unknown'
            when earlier.privileged is distinct from true then 'failed'
        end as verdict
    from graph.accounts as account
    left join graph.baseline_sources as compared_sources on compared_sources.source = account.source
    left join baseline.accounts as earlier
        on earlier.source = account.source and earlier.account_id = account.account_id
    where account.privileged
)

select
    source,
    account_id,
    verdict,
    case when existed_before then 'The account existed in the baseline and was not privileged.'
        else 'The account did not exist in the baseline.' end as detail,
    'privileged' as observed_value,
    'privileged in the baseline' as threshold
from verdicts
where verdict is not null

/* example
name = "a new and a newly privileged account fail; one that was privileged before passes"
given."graph.baseline_sources" = [ { source = "s" } ]
given."baseline.accounts" = [
  { source = "s", account_id = "before", privileged = true }, { source = "s", account_id = "raised", privileged = false },
]
given."graph.accounts" = [
  { source = "s", account_id = "before", privileged = true }, { source = "s", account_id = "raised", privileged = true },
  { source = "s", account_id = "new", privileged = true }, { source = "s", account_id = "new viewer", privileged = false },
]
expect = [ { account_id = "raised", verdict = "failed" }, { account_id = "new", verdict = "failed" } ]
population = 3
*/
/* example
name = "without a baseline of the source every account is unknown"
given."graph.baseline_sources" = [ { source = "other" } ]
given."baseline.accounts" = [ { source = "other", account_id = "a", privileged = true } ]
given."graph.accounts" = [ { source = "s", account_id = "a", privileged = true } ]
expect = [ { account_id = "a", verdict = "unknown" } ]
population = 1
*/
