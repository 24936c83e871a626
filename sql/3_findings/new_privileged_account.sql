/*
title       = "New privileged account"
summary     = "An account that is privileged and was not in the baseline."
severity    = "high"
population  = "select source, account_id from graph.accounts where privileged"
reads       = ["graph.accounts", "baseline.accounts"]
grain       = ["source", "account_id"]
needs       = "baseline"
remediation = "Compare with the request that was approved; take the privilege back if there is none."

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.8.2"]
nist     = ["AC-6(7)"]
*/
with

compared as (
    select distinct source from baseline.accounts
),

judged as (
    select
        account.source, account.account_id, account.role_id, earlier.account_id is not null as was_there,
        case
            when compared.source is null then 'unknown'
            -- a role that cannot be read counts as privileged, and does not show what has changed
            when list_contains(account.unreadable_fields, 'roleId') or list_contains(earlier.unreadable_fields, 'roleId')
                then 'unknown'
            when earlier.privileged is distinct from true then 'failed'
        end as verdict
    from graph.accounts as account
    left join compared on compared.source = account.source
    left join baseline.accounts as earlier
        on earlier.source = account.source and earlier.account_id = account.account_id
    where account.privileged
)

select
    source,
    account_id,
    verdict,
    case when was_there then 'The account was there in the baseline, and was not privileged.'
        else 'The account was not there in the baseline.' end as detail,
    'privileged' as observed_value,
    'privileged in the baseline' as threshold
from judged
where verdict is not null

/* example
name = "new, and newly privileged, fail; privileged before passes"
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
name = "without a baseline of that source nobody is judged"
given."baseline.accounts" = [ { source = "other", account_id = "a", privileged = true } ]
given."graph.accounts" = [ { source = "s", account_id = "a", privileged = true } ]
expect = [ { account_id = "a", verdict = "unknown" } ]
population = 1
*/
