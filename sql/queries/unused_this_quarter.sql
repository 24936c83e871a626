-- Which active accounts have not been used this quarter? If the login state is unknown, they may have been.
select
    account.source, account.display_name, account.email, account.role_display_name, account.login_state,
    account.last_seen_at, account.days_since_seen
from reports.population as account
cross join reference.snapshot as snapshot
where
    account.status = 'active'
    and (account.last_seen_at is null or account.last_seen_at < date_trunc('quarter', snapshot.as_of))
order by account.last_seen_at nulls first, account.source, account.display_name, account.account_id
