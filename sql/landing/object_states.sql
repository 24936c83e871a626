-- How was each list of objects of a snapshot read? Lists that were not requested have no row.
-- $snapshot_id: the snapshot
select source, state, string_agg(replace(list, '_', ' '), ', ' order by list) as lists
from (
    select source, object_list(check_id) as list, max(object_check_state(check_id, result)) as state
    from meta.reconciliation
    where snapshot_id = $snapshot_id and not is_gate and object_list(check_id) <> ''
    group by source, list
)
group by source, state
order by source, state
