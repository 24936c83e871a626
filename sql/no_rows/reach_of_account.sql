-- Why does the query of what an account reaches return no rows?
-- $account: the account's id, user name or e-mail address
with

matching_accounts as (
    select source
    from graph.accounts
    where account_id = $account or user_name_key = match_key($account) or email_key = match_key($account)
)

select
    case
        when not exists (select 1 from matching_accounts)
            then 'no account has this id, user name or address: ' || $account
        when not exists (select 1 from graph.objects where source in (select source from matching_accounts))
            then 'no dashboards, models or folders of its source are known: they were not read, or there are none'
        else 'nothing is shared with the account, its groups or its role'
    end as reason
