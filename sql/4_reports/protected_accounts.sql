/*
summary = "One account that this program does not change, or whose rights it does not reduce, with the reason."
reads   = ["graph.accounts", "reference.rank_levels"]
grain   = ["source", "account_id"]

[columns]
source       = "varchar: the source's name in the configuration"
account_id   = "varchar: the account"
reason       = "varchar: the reason, in words"
applies_to   = "varchar: any (every change to the account) or role (changes to its role or status)"
may_be_named = "boolean: the change is made if the account is named with --include"
*/
with

admin_counts as (
    select source, count(*) as admin_count
    from graph.accounts
    where status = 'active' and role_rank >= (select minimum_rank from reference.rank_levels where level = 'admin')
    group by source
),

reasons as (
    select
        account.source, account.account_id,
        case
            when account.is_own then 'it is the account this program logs in with'
            -- The highest level is the role of the administrator created at installation.
            when account.role_rank >= (select minimum_rank from reference.rank_levels where level = 'super') then 'it is the administrator made at install'
            when account.account_type = 'break_glass' then 'it is an emergency account'
            when account.account_type = 'service' then 'it is a service account'
            when account.status = 'active' and account.role_rank >= (select minimum_rank from reference.rank_levels where level = 'admin') and admin_counts.admin_count = 1
                then 'it would be the last active administrator'
        end as reason,
        account.account_type
    from graph.accounts as account
    left join admin_counts on admin_counts.source = account.source
)

select
    source,
    account_id,
    reason,
    case reason when 'it would be the last active administrator' then 'role' else 'any' end as applies_to,
    reason in ('it is an emergency account', 'it is a service account') as may_be_named
from reasons
where reason is not null

/* example
name = "the program's own account, the first administrator, registered accounts and the last active administrator are protected"
given."graph.accounts" = [
  { source = "s", account_id = "1", is_own = true, user_name_key = "svc", status = "active", role_rank = 90, account_type = "human" },
  { source = "s", account_id = "2", status = "active", role_rank = 100, account_type = "human" },
  { source = "s", account_id = "3", status = "active", role_rank = 10, account_type = "service" },
  { source = "s", account_id = "4", status = "inactive", role_rank = 90, account_type = "break_glass" },
  { source = "s", account_id = "5", status = "active", role_rank = 90, account_type = "human" },
  { source = "t", account_id = "6", status = "active", role_rank = 90, account_type = "human" },
  { source = "t", account_id = "7", status = "inactive", role_rank = 90, account_type = "human" },
]
expect = [
  { account_id = "1", reason = "it is the account this program logs in with", applies_to = "any", may_be_named = false },
  { account_id = "2", reason = "it is the administrator made at install", may_be_named = false },
  { account_id = "3", reason = "it is a service account", may_be_named = true },
  { account_id = "4", reason = "it is an emergency account", may_be_named = true },
  { account_id = "6", reason = "it would be the last active administrator", applies_to = "role", may_be_named = false },
]
*/
