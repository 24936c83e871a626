-- The roles to which access of a campaign can be reduced, by both of their names; people are shown one
-- $snapshot_id: the snapshot of the campaign
-- A name that roles of different ranks have in common has no rank, because it could be any of them.
with

names as (
    select source, role_rank, coalesce(role_display_name, role_name) as name, true as is_shown
    from history.roles
    where snapshot_id = $snapshot_id
    union
    select source, role_rank, role_name, role_display_name is null
    from history.roles
    where snapshot_id = $snapshot_id
)

select
    source, coalesce(max(name) filter (where is_shown), max(name)) as name,
    case when min(role_rank) = max(role_rank) and count(role_rank) = count(*) then max(role_rank) end as rank,
    bool_or(is_shown) as is_shown
from names
where name is not null
group by source, lower(name)
