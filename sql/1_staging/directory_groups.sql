/*
summary = "One group of a directory, with or without members."
reads   = ["raw.directory_groups"]
grain   = ["source", "group_id"]

[columns]
source     = "varchar: the source's name in the configuration"
group_id   = "varchar: the group's id in the directory"
group_name = "varchar: its name, trimmed; null if empty"
*/
select
    source,
    payload ->> '$.id' as group_id,
    trimmed(coalesce(payload ->> '$.profile.name', payload ->> '$.displayName')) as group_name
from raw.directory_groups
where snapshot_id = $snapshot_id and is_accepted and coalesce(payload ->> '$.id', '') <> ''
qualify row_number() over (partition by source, payload ->> '$.id' order by page, ordinal) = 1

/* example
name = "groups of Okta and of Entra ID have their names in different places"
given."raw.directory_groups" = [
  { snapshot_id = "example", source = "okta", page = 1, ordinal = 1, is_accepted = true, payload = '{"id":"a","profile":{"name":" Ops "}}' },
  { snapshot_id = "example", source = "entra", page = 1, ordinal = 1, is_accepted = true, payload = '{"id":"b","displayName":"Sales"}' },
  { snapshot_id = "example", source = "entra", page = 1, ordinal = 2, is_accepted = true, payload = '{"id":"c"}' },
  { snapshot_id = "example", source = "entra", page = 2, ordinal = 1, is_accepted = false, payload = '{"id":"d","displayName":"Other sweep"}' },
]
expect = [
  { group_id = "a", group_name = "Ops" }, { group_id = "b", group_name = "Sales" }, { group_id = "c", group_name = "<null>" },
]
*/
