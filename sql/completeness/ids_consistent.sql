/*
summary = "No user id came with two different records."
reads   = [
    "landed.users", "landed.accounts", "raw.users", "raw.scim_users", "raw.directory_users", "raw.file_accounts", "meta.sources",
]
gate    = true
*/
with

-- Only the records of ids that came more than once are read again.
repeated_records as (
    select users.source, users.resource, users.page, users.ordinal, users.account_id
    from landed.users as users
    semi join (select source, account_id from landed.accounts where record_count > 1) as repeated
        on repeated.source = users.source and repeated.account_id = users.account_id
),

contents as (
    select source, 'users' as resource, page, ordinal, payload from raw.users
    where snapshot_id = $snapshot_id and is_accepted
    union all
    select source, 'scim_users', page, ordinal, payload from raw.scim_users
    where snapshot_id = $snapshot_id and is_accepted
    union all
    select source, 'directory_users', page, ordinal, payload from raw.directory_users
    where snapshot_id = $snapshot_id and is_accepted
    union all
    select source, 'file_accounts', page, ordinal, payload from raw.file_accounts
    where snapshot_id = $snapshot_id and is_accepted
),

conflicting_ids as (
    select repeated.source, repeated.account_id
    from repeated_records as repeated
    join contents
        on contents.source = repeated.source and contents.resource = repeated.resource
        and contents.page = repeated.page and contents.ordinal = repeated.ordinal
    group by repeated.source, repeated.account_id
    having min(contents.payload::varchar) <> max(contents.payload::varchar)
),

id_counts as (
    select source, count(*) as ids from landed.accounts group by source
),

conflicts as (
    select source, count(*) as conflicting, list_sort(list(account_id)) as named from conflicting_ids group by source
),

totals as (
    select id_counts.source, id_counts.ids, coalesce(conflicts.conflicting, 0) as conflicting, conflicts.named
    from id_counts
    left join conflicts on conflicts.source = id_counts.source
)

select
    sources.source,
    '0' as expected,
    coalesce(totals.conflicting, 0)::varchar as observed,
    coalesce(totals.conflicting, 0) as difference,
    case when coalesce(totals.conflicting, 0) = 0 then 'PASS' else 'FAIL' end as result,
    case
        when coalesce(totals.conflicting, 0) = 0
            then counted(coalesce(totals.ids, 0), 'id') || ' checked: no id came with two different records.'
        when sources.kind = 'files'
            then counted(totals.conflicting, 'account id')
                || case when totals.conflicting = 1 then ' is' else ' are each' end || ' on several lines that differ: '
                || array_to_string(totals.named[1:3], ', ')
                || case when totals.conflicting > 3 then ' and ' || (totals.conflicting - 3) || ' more' else '' end || '.'
        else counted(totals.conflicting, 'id') || ' came with different records, which changed during the extract.'
    end as explanation
from meta.sources as sources
left join totals on totals.source = sources.source
where sources.snapshot_id = $snapshot_id
