-- Which accounts are privileged, and since which snapshot without a break?
with

last_without as (
    select source, account_id, max(snapshot_id) as snapshot_id
    from history.accounts
    where not privileged
    group by source, account_id
),

since as (
    select held.source, held.account_id, min(held.snapshot_id) as snapshot_id
    from history.accounts as held
    left join last_without on last_without.source = held.source and last_without.account_id = held.account_id
    where held.privileged and (last_without.snapshot_id is null or held.snapshot_id > last_without.snapshot_id)
    group by held.source, held.account_id
)

select
    account.source, account.display_name, account.email, account.role_display_name, account.status,
    account.last_seen_at, since.snapshot_id as privileged_since_snapshot_id, snapshot.as_of as privileged_since
from reports.population as account
left join since on since.source = account.source and since.account_id = account.account_id
left join meta.snapshots as snapshot on snapshot.snapshot_id = since.snapshot_id
where account.privileged
order by account.role_rank desc nulls last, account.source, account.display_name, account.account_id
