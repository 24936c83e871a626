-- The roles of a snapshot by the names that people see, with their ranks, the lowest first; an unknown rank is last
-- $snapshot_id: the snapshot
select
    source, coalesce(role_display_name, role_name) as role,
    case when min(role_rank) = max(role_rank) and count(role_rank) = count(*) then max(role_rank) end as rank
from history.roles
where snapshot_id = $snapshot_id and coalesce(role_display_name, role_name) is not null
group by source, coalesce(role_display_name, role_name)
order by source, rank nulls last, role
