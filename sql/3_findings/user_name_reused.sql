/*
title       = "User name given to another account"
summary     = "An account with the user name that another account had in the baseline."
severity    = "medium"
population  = "select source, account_id from graph.accounts"
reads       = ["graph.accounts", "baseline.accounts"]
grain       = ["source", "account_id"]
needs       = "baseline"
remediation = "Find out whether it is the same person; access and audit trails of the former account must not pass on."

[controls]
pci = ["8.2.1"]
*/
with

compared as (
    select distinct source from baseline.accounts
),

earlier as (
    select source, user_name_key, min(account_id) as account_id
    from baseline.accounts
    where user_name_key is not null
    group by source, user_name_key
),

judged as (
    select
        account.source, account.account_id, account.user_name, earlier.account_id as earlier_id,
        case
            when compared.source is null or account.user_name_key is null then 'unknown'
            -- whoever had the name then has not been given it since
            when own.user_name_key = account.user_name_key then null
            when earlier.account_id is not null then 'failed'
        end as verdict
    from graph.accounts as account
    left join compared on compared.source = account.source
    left join earlier on earlier.source = account.source and earlier.user_name_key = account.user_name_key
    left join baseline.accounts as own on own.source = account.source and own.account_id = account.account_id
)

select
    source,
    account_id,
    verdict,
    'In the baseline the user name ' || user_name || ' belonged to the account ' || earlier_id || '.' as detail,
    user_name as observed_value,
    'a user name of its own' as threshold
from judged
where verdict is not null

/* example
name = "another account's name fails, its own and a new one pass, none is unknown"
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
name = "without a baseline nobody is judged"
given."graph.accounts" = [ { source = "s", account_id = "a", user_name_key = "ada" } ]
expect = [ { account_id = "a", verdict = "unknown" } ]
population = 1
*/
