-- Active accounts of every role that were last seen more than this number of days ago
-- $stale_days: days
select
    account.source, account.account_id, 'deactivate' as action,
    'Last seen ' || strftime(account.last_seen_at, '%-d %b %Y') || ', ' || counted(account.days_since_seen, 'day')
        || ' before ' || strftime(snapshot.as_of, '%-d %b %Y') || '.' as reason,
    null::varchar as finding_id, coalesce(source.is_from_files, false) and protected.reason is null as is_task,
    case when source.is_from_files then 'left_out' end as outcome,
    case when source.is_from_files
        then coalesce(protected.reason, 'the application is changed by hand: see the task list') end as left_out_because,
    false as may_be_named
from graph.accounts as account
left join graph.sources as source on source.source = account.source
left join reports.protected_accounts as protected
    on protected.source = account.source and protected.account_id = account.account_id
cross join reference.snapshot as snapshot
where
    account.status = 'active' and account.login_state = 'seen'
    and account.last_seen_at < snapshot.as_of - to_days($stale_days::integer)
order by account.source, account.account_id
