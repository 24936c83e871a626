-- Which users of directories belong to the people whose accounts can be looked up?
select
    account.person_id, account.source, account.user_name, account.email, account.status, account.last_sign_in_at,
    account.group_names
from graph.directory_accounts as account
where account.person_id in (select person_id from lookup_choice)
order by account.person_id, account.source, account.user_id
