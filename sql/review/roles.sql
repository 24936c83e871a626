-- Roles of a snapshot, by both of their names in lower case
-- $snapshot_id: the snapshot
select source, lower(role_name) as role
from history.roles
where snapshot_id = $snapshot_id and role_name is not null
union
select source, lower(role_display_name)
from history.roles
where snapshot_id = $snapshot_id and role_display_name is not null
