/*
summary = "Every item of every accepted page of dashboards, models and settings is stored as a row."
reads   = ["meta.pages", "raw.dashboards", "raw.folders", "raw.models", "raw.row_rules", "raw.posture", "raw.mailed_reports", "raw.tenants"]
*/
with

page_items as (
    select source, resource, sum(items) as items from meta.pages
    where
        snapshot_id = $snapshot_id and is_accepted
        and resource in ('dashboards', 'folders', 'models', 'row_rules', 'posture', 'mailed_reports', 'tenants')
    group by source, resource
),

stored_rows as (
    select source, 'dashboards' as resource from raw.dashboards where snapshot_id = $snapshot_id and is_accepted
    union all
    select source, 'folders' from raw.folders where snapshot_id = $snapshot_id and is_accepted
    union all
    select source, 'models' from raw.models where snapshot_id = $snapshot_id and is_accepted
    union all
    select source, 'row_rules' from raw.row_rules where snapshot_id = $snapshot_id and is_accepted
    union all
    select source, 'posture' from raw.posture where snapshot_id = $snapshot_id and is_accepted
    union all
    select source, 'mailed_reports' from raw.mailed_reports where snapshot_id = $snapshot_id and is_accepted
    union all
    select source, 'tenants' from raw.tenants where snapshot_id = $snapshot_id and is_accepted
),

row_counts as (
    select source, resource, count(*) as row_count from stored_rows group by source, resource
),

differences as (
    select
        page_items.source, sum(page_items.items)::bigint as items, sum(coalesce(rows.row_count, 0))::bigint as row_count,
        string_agg(replace(page_items.resource, '_', ' '), ', ' order by page_items.resource)
            filter (where page_items.items <> coalesce(rows.row_count, 0)) as incomplete
    from page_items
    left join row_counts as rows on rows.source = page_items.source and rows.resource = page_items.resource
    group by page_items.source
)

select
    source,
    items::varchar as expected,
    row_count::varchar as observed,
    row_count - items as difference,
    case when incomplete is null then 'PASS' else 'FAIL' end as result,
    case
        when incomplete is null then 'The pages held ' || counted(items, 'item') || ', all stored.'
        else row_count || ' of ' || counted(items, 'item') || ' are stored; rows are missing of: ' || incomplete || '.'
    end as explanation
from differences
