/*
summary = "One SCIM user and one account of Sisense that it is: beside a Sisense its own accounts, for a directory those of every source."
reads   = ["staging.scim_users", "graph.accounts"]
grain   = ["scim_source", "scim_id", "source", "account_id"]

[columns]
scim_source  = "varchar: the source whose endpoint told of the user"
scim_id      = "varchar: the endpoint's own id"
source       = "varchar: the source of the account"
account_id   = "varchar: the account"
match_method = "varchar: id, user_name or email"
*/
with

scim_keys as (
    select source, scim_id, 1 as step, scim_id as match_key from staging.scim_users
    union
    select source, scim_id, 1, external_id from staging.scim_users
    union
    select source, scim_id, 2, user_name_key from staging.scim_users
    union
    select source, scim_id, 3, user_name_key from staging.scim_users
    union
    select source, scim_id, 3, email_key from staging.scim_users
),

account_keys as (
    select source, account_id, 1 as step, 'id' as match_method, account_id as match_key from graph.accounts
    union all
    select source, account_id, 2, 'user_name', user_name_key from graph.accounts
    union all
    select source, account_id, 3, 'email', email_key from graph.accounts
),

-- Beside a Sisense an endpoint knows the accounts, and the ids, of that one alone.
in_reach as (
    select
        scim.source as scim_source, scim.scim_id, account.source, account.account_id, account.step,
        account.match_method
    from scim_keys as scim
    join account_keys as account on account.step = scim.step and account.match_key = scim.match_key
    where account.source = scim.source
        or (account.step > 1 and scim.source not in (select source from graph.accounts))
)

select scim_source, scim_id, source, account_id, match_method
from in_reach
-- the surest step for each user in each source; what is still several stays several, and is told as such
qualify step = min(step) over (partition by scim_source, scim_id, source)
    and row_number() over (partition by scim_source, scim_id, source, account_id order by step) = 1

/* example
name = "a directory reaches every source, an endpoint beside a Sisense only its own"
given."staging.scim_users" = [
  { source = "idp", scim_id = "1", user_name_key = "ann@x", is_active = true },
  { source = "prod", scim_id = "a", user_name_key = "ann", is_active = true },
]
given."graph.accounts" = [
  { source = "prod", account_id = "a", user_name_key = "ann", email_key = "ann@x" },
  { source = "test", account_id = "t", user_name_key = "ann", email_key = "ann@x" },
]
expect = [
  { scim_source = "idp", scim_id = "1", source = "prod", account_id = "a", match_method = "email" },
  { scim_source = "idp", scim_id = "1", source = "test", account_id = "t", match_method = "email" },
  { scim_source = "prod", scim_id = "a", source = "prod", account_id = "a", match_method = "id" },
]
*/
