-- How was each list of objects of a snapshot read? Lists that were not requested have no row.
-- $snapshot_id: the snapshot
select
    source,
    state,
    string_agg(replace(list, '_', ' '), ', ' order by list) as lists
from (
    select
        source, regexp_extract(check_id, '^(dashboards|models|row_rules|folders|seats|sign_on|mailed_reports|tenants)_', 1) as list,
        case
            when bool_or(result = 'FAIL') then 'PARTIAL'
            when bool_or(result = 'NOT_AVAILABLE' and check_id = list || '_read') then 'NOT_AVAILABLE'
            else 'FULL'
        end as state
    from meta.reconciliation
    where snapshot_id = $snapshot_id and not is_gate and check_id <> 'seats_agree'
    group by source, list
    having list <> ''
)
group by source, state
order by source, state
