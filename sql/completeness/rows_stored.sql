/*
summary = "Every item of every accepted page is a stored row."
reads   = ["meta.pages", "raw.users", "raw.roles", "raw.groups", "raw.scim_users", "raw.scim_groups", "meta.sources"]
gate    = true
*/
with

pages as (
    select source, sum(items) as items from meta.pages
    where snapshot_id = $snapshot_id and is_accepted
    group by source
),

stored as (
    select source from raw.users where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.roles where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.groups where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.scim_users where snapshot_id = $snapshot_id and is_accepted
    union all
    select source from raw.scim_groups where snapshot_id = $snapshot_id and is_accepted
),

rows_of_source as (
    select source, count(*) as row_count from stored group by source
),

compared as (
    select
        sources.source, coalesce(pages.items, 0) as items, coalesce(rows_of_source.row_count, 0) as row_count
    from meta.sources as sources
    left join pages on pages.source = sources.source
    left join rows_of_source on rows_of_source.source = sources.source
    where sources.snapshot_id = $snapshot_id
)

select
    source,
    items::varchar as expected,
    row_count::varchar as observed,
    row_count - items as difference,
    case when row_count = items then 'PASS' else 'FAIL' end as result,
    case
        when row_count = items then 'The pages held ' || items || ' items, and all of them are stored.'
        else 'The pages held ' || items || ' items, but ' || row_count || ' rows are stored.'
    end as explanation
from compared
