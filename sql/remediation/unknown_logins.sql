-- Accounts whose status or last login is not known
select account.source, account.account_id, account.user_name,
    case when account.status = 'unknown' then 'it is not known whether it is active'
        else 'it is not known when it was last seen' end as reason
from graph.accounts as account
where account.status in ('active', 'unknown') and (account.login_state = 'unknown' or account.status = 'unknown')
order by account.source, account.account_id
