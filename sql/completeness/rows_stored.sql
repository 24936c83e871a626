/*
summary = "Every item of every accepted page of users, roles, groups and assignments, and of the tables of files, is stored as a row."
reads   = [
    "meta.pages", "raw.users", "raw.roles", "raw.groups", "raw.scim_users", "raw.scim_groups", "raw.directory_users",
    "raw.directory_groups", "raw.directory_members", "raw.directory_assignments", "raw.file_accounts",
    "raw.file_entitlements", "raw.file_grants", "meta.sources",
]
gate    = true
*/
with

page_items as (
    select source, sum(items) as items from meta.pages
    where
        snapshot_id = $snapshot_id and is_accepted
        and resource in (
            'users', 'roles', 'groups', 'scim_users', 'scim_groups', 'directory_users', 'directory_groups',
            'directory_members', 'directory_assignments', 'file_accounts', 'file_entitlements', 'file_grants'
        )
    group by source
),

stored_rows as (
    select source from raw.users where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.roles where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.groups where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.scim_users where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.scim_groups where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.directory_users where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.directory_groups where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.directory_members where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.directory_assignments where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.file_accounts where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.file_entitlements where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.file_grants where snapshot_id = $snapshot_id and is_accepted
),

row_counts as (
    select source, count(*) as row_count from stored_rows group by source
),

source_counts as (
    select
        sources.source, coalesce(page_items.items, 0) as items, coalesce(row_counts.row_count, 0) as row_count
    from meta.sources as sources
    left join page_items on page_items.source = sources.source
    left join row_counts on row_counts.source = sources.source
    where sources.snapshot_id = $snapshot_id
)

select
    source,
    items::varchar as expected,
    row_count::varchar as observed,
    row_count - items as difference,
    case when row_count = items then 'PASS' else 'FAIL' end as result,
    case
        when row_count = items then 'The pages held ' || counted(items, 'item') || ', all stored.'
        else 'The pages held ' || counted(items, 'item') || ', but ' || row_count || ' rows are stored.'
    end as explanation
from source_counts
