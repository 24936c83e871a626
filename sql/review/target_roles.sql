-- The roles of a snapshot that a reviewer can choose as a lower role, by the names that people see, lowest rank first
-- $snapshot_id: the snapshot
select source, coalesce(role_display_name, role_name) as role
from history.roles
where snapshot_id = $snapshot_id and coalesce(role_display_name, role_name) is not null
group by source, coalesce(role_display_name, role_name)
order by source, min(role_rank) nulls last, role
