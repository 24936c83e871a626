-- Active accounts of every role that were last seen more than this number of days ago
-- $stale_days: days
select
    account.source, account.account_id, 'deactivate' as action,
    'Last seen ' || strftime(account.last_seen_at, '%-d %b %Y') || ', ' || counted(account.days_since_seen, 'day')
        || ' before ' || strftime(snapshot.as_of, '%-d %b %Y') || '.' as reason,
    null::varchar as finding_id
from graph.accounts as account
cross join reference.snapshot as snapshot
where
    account.status = 'active' and account.login_state = 'seen'
    and account.last_seen_at < snapshot.as_of - to_days($stale_days::integer)
order by account.source, account.account_id
