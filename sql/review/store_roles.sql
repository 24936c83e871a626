-- The roles to which access of a campaign can be reduced, by both of their names; people are shown one
-- $snapshot_id: the snapshot of the campaign
with

names as (
    select source, role_id, coalesce(role_display_name, role_name) as name, true as is_shown
    from history.roles
    where snapshot_id = $snapshot_id
    union
    select source, role_id, role_name, role_display_name is null
    from history.roles
    where snapshot_id = $snapshot_id
)

select
    names.source, coalesce(max(names.name) filter (where names.is_shown), max(names.name)) as name,
    max(roles.role_rank) as rank, bool_or(names.is_shown) as is_shown
from names
left join graph.roles as roles on roles.source = names.source and roles.role_id = names.role_id
where names.name is not null
group by names.source, lower(names.name)
