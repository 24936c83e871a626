-- What must a plan know of every account before it may touch it, and what did the source say of it?
with

records as (
    select user_record.source, user_record.payload ->> '_id' as account_id, user_record.payload
    from raw.users as user_record
    join reference.snapshot as snapshot on snapshot.snapshot_id = user_record.snapshot_id
    where user_record.is_accepted
    qualify row_number() over (partition by source, payload ->> '_id' order by page, ordinal) = 1
)

select
    account.source, account.account_id, account.user_name, account.email, account.display_name, account.status,
    role.role_display_name, account.account_type,
    account.account_id = source.principal_account_id
        or account.user_name_key = match_key(source.principal_user_name) as is_caller,
    -- a role that nobody can rank may be anything; the one made at install is ranked 100
    coalesce(account.role_rank >= 100, false) as is_install_super,
    account.status = 'active' and coalesce(account.role_rank >= 90, false) as is_active_admin,
    records.payload
from graph.accounts as account
join records on records.source = account.source and records.account_id = account.account_id
cross join reference.snapshot as snapshot
left join meta.sources as source on source.snapshot_id = snapshot.snapshot_id and source.source = account.source
left join graph.roles as role on role.source = account.source and role.role_id = account.role_id
order by account.source, account.account_id
