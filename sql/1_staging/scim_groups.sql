/*
summary = "One group that a SCIM endpoint returned, with or without members."
reads   = ["raw.scim_groups"]
grain   = ["source", "scim_group_id"]

[columns]
source        = "varchar: the source's name in the configuration"
scim_group_id = "varchar: the group's id in SCIM"
group_name    = "varchar: its displayName, trimmed; null if empty"
*/
select
    source,
    payload ->> '$.id' as scim_group_id,
    nullif(trim(payload ->> '$.displayName'), '') as group_name
from raw.scim_groups
where snapshot_id = $snapshot_id and is_accepted and coalesce(payload ->> '$.id', '') <> ''
qualify row_number() over (partition by source, payload ->> '$.id' order by page, ordinal) = 1

/* example
name = "a repeated group keeps its first record; groups without members or without a name are kept; a record without an id is not"
given."raw.scim_groups" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"id":"g","displayName":" Ops ","members":["a"]}' },
  { snapshot_id = "example", source = "s", page = 2, ordinal = 1, is_accepted = true, payload = '{"id":"g","displayName":"Later"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"id":"empty","displayName":"Empty"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"id":"bare","displayName":""}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 4, is_accepted = true, payload = '{"displayName":"No id"}' },
]
expect = [
  { scim_group_id = "g", group_name = "Ops" }, { scim_group_id = "empty", group_name = "Empty" },
  { scim_group_id = "bare", group_name = "<null>" },
]
*/
