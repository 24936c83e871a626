-- Every account with its protection, its names for people, and its record from the source
with

user_records as (
    select user_record.source, user_record.payload ->> '_id' as account_id, user_record.payload
    from raw.users as user_record
    join reference.snapshot as snapshot on snapshot.snapshot_id = user_record.snapshot_id
    where user_record.is_accepted
    qualify row_number() over (partition by source, payload ->> '_id' order by page, ordinal) = 1
)

select
    account.source, account.account_id, account.user_name, account.email, account.display_name, account.status,
    coalesce(role.role_display_name, account.role_id) as role_display_name, account.person_id,
    coalesce(person.display_name, person.email) as person, protected.reason as protection, protected.may_be_named,
    protected.applies_to,
    -- A role without a rank does not count as an administrator.
    account.status = 'active' and coalesce(account.role_rank >= administrator.minimum_rank, false)
        as is_active_admin,
    user_records.payload
from graph.accounts as account
join reference.rank_levels as administrator on administrator.level = 'admin'
join user_records on user_records.source = account.source and user_records.account_id = account.account_id
left join graph.roles as role on role.source = account.source and role.role_id = account.role_id
left join graph.people as person on person.person_id = account.person_id
left join reports.protected_accounts as protected
    on protected.source = account.source and protected.account_id = account.account_id
order by account.source, account.account_id
