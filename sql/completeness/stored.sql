/*
summary = "Every item of every accepted page of this list is stored as a row."
each    = "list"
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
    select page_items.source, page_items.resource, page_items.items::bigint as items, coalesce(rows.row_count, 0) as row_count
    from page_items
    left join row_counts as rows on rows.source = page_items.source and rows.resource = page_items.resource
)

select
    source,
    -- The pages of settings hold the seats and the settings of sign-on.
    unnest(case resource when 'posture' then ['seats', 'sign_on'] else [resource] end) as list,
    items::varchar as expected,
    row_count::varchar as observed,
    row_count - items as difference,
    case when row_count = items then 'PASS' else 'FAIL' end as result,
    case
        when row_count = items then 'The pages held ' || counted(items, 'item') || ', all stored.'
        else 'The pages held ' || counted(items, 'item') || ', but ' || counted(row_count, 'row')
            || case when row_count = 1 then ' is stored.' else ' are stored.' end
    end as explanation
from differences
