/*
summary = "One SCIM user and one account matched to it: in the same Sisense, or for a directory in every source."
reads   = ["staging.scim_users", "graph.accounts"]
grain   = ["scim_source", "scim_id", "source", "account_id"]

[columns]
scim_source  = "varchar: the source of the SCIM endpoint"
scim_id      = "varchar: the user's id in SCIM"
source       = "varchar: the source of the account"
account_id   = "varchar: the account"
match_method = "varchar: how they were matched: id, user_name or email"
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

-- The endpoint of a Sisense covers only that source, and only its ids can equal account ids.
link_candidates as (
    select
        scim.source as scim_source, scim.scim_id, account.source, account.account_id, account.step,
        account.match_method
    from scim_keys as scim
    join account_keys as account on account.step = scim.step and account.match_key = scim.match_key
    where account.source = scim.source
        or (account.step > 1 and scim.source not in (select source from graph.accounts))
)

select scim_source, scim_id, source, account_id, match_method
from link_candidates
-- Keep the most reliable step for each user in each source. Several accounts of one step are kept and reported as such.
qualify step = min(step) over (partition by scim_source, scim_id, source)
    and row_number() over (partition by scim_source, scim_id, source, account_id order by step) = 1

/* example
name = "a directory is matched in every source, the endpoint of a Sisense only in its own"
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
