/*
title       = "Reused user name"
summary     = "An account whose user name belonged to another account in the baseline."
severity    = "medium"
population  = "select source, account_id from graph.accounts"
reads       = ["graph.accounts", "graph.baseline_sources", "baseline.accounts"]
grain       = ["source", "account_id"]
needs       = "baseline"
remediation = "Find out whether it is the same person. Access and audit trails of the earlier account must not pass on."

[controls]
pci = ["8.2.1"]
*/
with

earlier_user_names as (
    select source, user_name_key, min(account_id) as account_id
    from baseline.accounts
    where user_name_key is not null
    group by source, user_name_key
),

verdicts as (
    select
        account.source, account.account_id, account.user_name, earlier.account_id as earlier_id,
        case
            when compared_sources.source is null or account.user_name_key is null then 'unknown'
            -- The account already had this user name in the baseline.
            when own.user_name_key = account.user_name_key then null
            when earlier.account_id is not null then 'failed'
        end as verdict
    from graph.accounts as account
    left join graph.baseline_sources as compared_sources on compared_sources.source = account.source
    left join earlier_user_names as earlier on earlier.source = account.source and earlier.user_name_key = account.user_name_key
    left join baseline.accounts as own on own.source = account.source and own.account_id = account.account_id
)

select
    source,
    account_id,
    verdict,
    'In the baseline the user name ' || user_name || ' belonged to the account ' || earlier_id || '.' as detail,
    user_name as observed_value,
    'a user name that no other account had' as threshold
from verdicts
where verdict is not null

/* example
name = "a user name of another account fails, its own or a new one passes, a missing one is unknown"
given."graph.baseline_sources" = [ { source = "s" }, { source = "t" } ]
given."baseline.accounts" = [
  { source = "s", account_id = "1", user_name_key = "ada" }, { source = "s", account_id = "2", user_name_key = "bo" },
  { source = "t", account_id = "3", user_name_key = "cy" },
]
given."graph.accounts" = [
  { source = "s", account_id = "9", user_name = "ADA", user_name_key = "ada" }, { source = "s", account_id = "2", user_name_key = "bo" },
  { source = "s", account_id = "8", user_name_key = "cy" }, { source = "s", account_id = "7" },
]
expect = [ { account_id = "9", verdict = "failed" }, { account_id = "7", verdict = "unknown" } ]
population = 4
*/
/* example
name = "without a baseline every account is unknown"
given."graph.accounts" = [ { source = "s", account_id = "a", user_name_key = "ada" } ]
expect = [ { account_id = "a", verdict = "unknown" } ]
population = 1
*/
