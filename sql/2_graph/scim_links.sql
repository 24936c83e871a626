/*
summary = "One user of an identity provider and one account matched to it: by SCIM in the same Sisense, for a directory in every source."
reads   = ["graph.provider_users", "graph.accounts", "graph.sources"]
grain   = ["scim_source", "scim_id", "source", "account_id"]

[columns]
scim_source  = "varchar: the identity provider: the source of a SCIM endpoint, or a directory"
scim_id      = "varchar: the user's id there"
source       = "varchar: the source of the account"
account_id   = "varchar: the account"
match_method = "varchar: how they were matched: id, user_name, email or person"
*/
with

provider_keys as (
    select source, user_id, is_directory, 1 as step, user_id as match_key from graph.provider_users where not is_directory
    union
    select source, user_id, is_directory, 1, external_id from graph.provider_users
    union
    select source, user_id, is_directory, 2, user_name_key from graph.provider_users
    union
    select source, user_id, is_directory, 3, user_name_key from graph.provider_users
    union
    select source, user_id, is_directory, 3, email_key from graph.provider_users
    union
    select source, user_id, is_directory, 3, unnest(alias_keys) from graph.provider_users
    union
    -- The alias may be the user name in the application.
    select source, user_id, is_directory, 4, unnest(alias_keys) from graph.provider_users
    union
    -- If the directory is the roster, the account's person is one of its users.
    select source, user_id, is_directory, 5, user_id from graph.provider_users where is_directory
),

-- Assignments in a directory and users of a SCIM server are about Sisense, so accounts of other applications are not
-- compared with them.
accounts as (
    select account.*, coalesce(source.is_from_files, false) as is_from_files
    from graph.accounts as account
    left join graph.sources as source on source.source = account.source
),

account_keys as (
    select source, account_id, is_from_files, 1 as step, 'id' as match_method, account_id as match_key from accounts
    union all
    select source, account_id, is_from_files, 2, 'user_name', user_name_key from accounts
    union all
    select source, account_id, is_from_files, 3, 'email', email_key from accounts
    union all
    select source, account_id, is_from_files, 4, 'user_name', user_name_key from accounts
    union all
    select source, account_id, is_from_files, 5, 'person', person_id from accounts
),

-- The endpoint of a Sisense covers only that source, and only its ids can equal account ids.
link_candidates as (
    select
        provider.source as scim_source, provider.user_id as scim_id, account.source, account.account_id, account.step,
        account.match_method
    from provider_keys as provider
    join account_keys as account on account.step = provider.step and account.match_key = provider.match_key
    where account.source = provider.source
        or (not account.is_from_files and account.step > 1 and provider.source not in (select source from graph.accounts))
)

select scim_source, scim_id, source, account_id, match_method
from link_candidates
-- Keep the most reliable step for each user in each source. Several accounts of one step are kept and reported as such.
qualify step = min(step) over (partition by scim_source, scim_id, source)
    and row_number() over (partition by scim_source, scim_id, source, account_id order by step) = 1

/* example
name = "a directory is matched in every source, the endpoint of a Sisense only in its own"
given."graph.provider_users" = [
  { source = "idp", user_id = "1", is_directory = false, user_name_key = "ann@x", is_active = true },
  { source = "prod", user_id = "a", is_directory = false, user_name_key = "ann", is_active = true },
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
/* example
name = "a user of a directory is also found by an alias, by the user name in the application, and as the account's person"
given."graph.provider_users" = [
  { source = "d", user_id = "1", is_directory = true, email_key = "ann@x", alias_keys = ["a.berg@x"] },
  { source = "d", user_id = "2", is_directory = true, email_key = "bo@x", alias_keys = ["bo.app"] },
  { source = "d", user_id = "3", is_directory = true, email_key = "cy@x", alias_keys = [] },
  { source = "d", user_id = "4", is_directory = true, email_key = "dee@x", alias_keys = [] },
]
given."graph.accounts" = [
  { source = "s", account_id = "a", email_key = "a.berg@x" }, { source = "s", account_id = "b", user_name_key = "bo.app" },
  { source = "s", account_id = "c", email_key = "cy+bi@x", person_id = "3" }, { source = "s", account_id = "4", email_key = "other@x" },
]
expect = [
  { scim_id = "1", account_id = "a", match_method = "email" }, { scim_id = "2", account_id = "b", match_method = "user_name" },
  { scim_id = "3", account_id = "c", match_method = "person" },
]
*/
/* example
name = "accounts of an application that is read from files are not compared with a directory"
given."graph.sources" = [ { source = "hr", is_from_files = true }, { source = "s", is_from_files = false } ]
given."graph.provider_users" = [ { source = "d", user_id = "1", is_directory = true, email_key = "ann@x", alias_keys = [] } ]
given."graph.accounts" = [
  { source = "s", account_id = "a", email_key = "ann@x" }, { source = "hr", account_id = "h", email_key = "ann@x" },
]
expect = [ { source = "s", account_id = "a" } ]
*/
