/*
summary = "One accepted role or group record without a readable id."
reads   = ["raw.roles", "raw.groups"]
*/
select source, 'roles' as resource, page, ordinal
from raw.roles
where snapshot_id = $snapshot_id and is_accepted and usable_id(payload ->> '$._id') is null
union all
select source, 'groups', page, ordinal
from raw.groups
where snapshot_id = $snapshot_id and is_accepted and usable_id(payload ->> '$._id') is null
