/*
summary = "One folder, with the folders that hold it."
reads   = ["staging.folders"]
grain   = ["source", "folder_id"]

[columns]
source    = "varchar: the source's name in the configuration"
folder_id = "varchar: the folder's id in the source"
path      = "varchar: its name and those of the folders that hold it, from the outermost on, joined by slashes; the innermost six"
*/
with

names as (
    -- A folder in itself would repeat its name.
    select source, folder_id, coalesce(name, folder_id) as name, nullif(parent_id, folder_id) as parent_id
    from staging.folders
)

select
    own.source,
    own.folder_id,
    concat_ws(' / ', fifth.name, fourth.name, third.name, second.name, first.name, own.name) as path
from names as own
left join names as first on first.source = own.source and first.folder_id = own.parent_id
left join names as second on second.source = first.source and second.folder_id = first.parent_id
left join names as third on third.source = second.source and third.folder_id = second.parent_id
left join names as fourth on fourth.source = third.source and fourth.folder_id = third.parent_id
left join names as fifth on fifth.source = fourth.source and fifth.folder_id = fourth.parent_id

/* example
name = "a path goes from the outermost folder in; a folder without a name has its id; a folder in itself stands alone"
given."staging.folders" = [
  { source = "s", folder_id = "1", name = "Finance" }, { source = "s", folder_id = "2", parent_id = "1" },
  { source = "s", folder_id = "3", name = "Q1", parent_id = "2" }, { source = "s", folder_id = "4", name = "Odd", parent_id = "4" },
  { source = "s", folder_id = "5", name = "Lost", parent_id = "9" }, { source = "t", folder_id = "6", name = "Other", parent_id = "1" },
]
expect = [
  { folder_id = "1", path = "Finance" }, { folder_id = "2", path = "Finance / 2" }, { folder_id = "3", path = "Finance / 2 / Q1" },
  { folder_id = "4", path = "Odd" }, { folder_id = "5", path = "Lost" }, { folder_id = "6", path = "Other" },
]
*/
