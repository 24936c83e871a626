-- Why does the query of an account's row access return no rows?
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
        when not exists (
            select 1 from graph.object_lists
            where source in (select source from matching_accounts) and list = 'row_rules' and state in ('FULL', 'PARTIAL')
        )
            then 'the row rules of its source were not read'
        else 'no data model of its source has a row rule, so every column is open'
    end as reason
