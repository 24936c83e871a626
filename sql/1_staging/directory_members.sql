/*
summary = "One user who is a direct member of one group of a directory."
reads   = ["raw.directory_members"]
grain   = ["source", "group_id", "user_id"]

[columns]
source   = "varchar: the source's name in the configuration"
group_id = "varchar: the group's id in the directory"
user_id  = "varchar: the user's id in the directory"
*/
select distinct source, payload ->> '$.group_id' as group_id, payload ->> '$.id' as user_id
from raw.directory_members
where
    snapshot_id = $snapshot_id and is_accepted and coalesce(payload ->> '$.id', '') <> ''
    -- In Entra ID, groups, devices and applications may be members too.
    and coalesce(payload ->> '$."@odata.type"', '#microsoft.graph.user') = '#microsoft.graph.user'

/* example
name = "a nested group is not a user"
given."raw.directory_members" = [
  { snapshot_id = "example", source = "d", page = 1, ordinal = 1, is_accepted = true, payload = '{"id":"u","group_id":"g"}' },
  { snapshot_id = "example", source = "d", page = 1, ordinal = 2, is_accepted = true, payload = '{"id":"v","group_id":"g","@odata.type":"#microsoft.graph.user"}' },
  { snapshot_id = "example", source = "d", page = 1, ordinal = 3, is_accepted = true, payload = '{"id":"h","group_id":"g","@odata.type":"#microsoft.graph.group"}' },
  { snapshot_id = "example", source = "d", page = 2, ordinal = 1, is_accepted = true, payload = '{"id":"u","group_id":"g"}' },
]
expect = [ { group_id = "g", user_id = "u" }, { group_id = "g", user_id = "v" } ]
*/
