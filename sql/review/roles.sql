-- Roles of a snapshot by both of their names in lower case, with their ranks
-- $snapshot_id: the snapshot
-- A name that roles of different ranks have in common has no rank, because it could be any of them.
with

names as (
    select source, lower(role_name) as role, role_rank
    from history.roles
    where snapshot_id = $snapshot_id and role_name is not null
    union
    select source, lower(role_display_name), role_rank
    from history.roles
    where snapshot_id = $snapshot_id and role_display_name is not null
)

select source, role, case when count(*) = 1 then max(role_rank) end as rank
from names
group by source, role
