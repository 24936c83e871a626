/*
summary = "One role, with the fields that the completeness checks need."
reads   = ["raw.roles"]
*/
select
    source, payload ->> '$._id' as role_id, any_value(payload ->> '$.name') as role_name,
    any_value(payload ->> '$.baseRoleName') as base_role_name
from raw.roles
where snapshot_id = $snapshot_id and is_accepted
group by source, payload ->> '$._id'
