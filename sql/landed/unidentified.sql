/*
summary = "One accepted role, group, member or assignment record without a readable id."
reads   = ["raw.roles", "landed.groups", "raw.directory_groups", "raw.directory_members", "raw.directory_assignments"]
*/
select source, 'roles' as resource, page, ordinal
from raw.roles
where snapshot_id = $snapshot_id and is_accepted and usable_id(payload ->> '$._id') is null
union all
select source, 'groups', page, ordinal
from landed.groups
where not has_id
union all
select source, 'directory_groups', page, ordinal
from raw.directory_groups
where snapshot_id = $snapshot_id and is_accepted and usable_id(payload ->> '$.id') is null
union all
select source, 'directory_members', page, ordinal
from raw.directory_members
where snapshot_id = $snapshot_id and is_accepted and usable_id(payload ->> '$.id') is null
union all
select source, 'directory_assignments', page, ordinal
from raw.directory_assignments
where snapshot_id = $snapshot_id and is_accepted and usable_id(payload ->> '$.id') is null
