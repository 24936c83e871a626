/*
summary = "The SCIM endpoint beside the source tells of as many users as its REST API."
reads   = ["raw.users", "raw.scim_users"]
gate    = false
*/
with

by_rest as (
    select source, count(distinct payload ->> '$._id') as user_count
    from raw.users
    where snapshot_id = $snapshot_id and is_accepted
    group by source
),

by_scim as (
    select source, count(distinct payload ->> '$.id') as user_count
    from raw.scim_users
    where snapshot_id = $snapshot_id and is_accepted
    group by source
)

select
    by_rest.source,
    by_rest.user_count::varchar as expected,
    by_scim.user_count::varchar as observed,
    by_scim.user_count - by_rest.user_count as difference,
    case when by_scim.user_count = by_rest.user_count then 'PASS' else 'FAIL' end as result,
    'REST tells of ' || by_rest.user_count || ' users, SCIM of ' || by_scim.user_count || '.' as explanation
from by_rest
join by_scim on by_scim.source = by_rest.source
