-- Which pages of one part belong to a merged snapshot? Of all shards but the first, those of the accounts, and the answers without records.
-- $snapshot_id: the merged snapshot
-- $part: the snapshot that the part is in
-- $source: its source
-- $pages: the number of the last page before it
-- $is_first: it is the first shard, or the whole source
-- "part_pages" is given by the program: the table meta.pages of the database that has the part.
select $snapshot_id as snapshot_id, * exclude (snapshot_id) replace ((page + $pages)::integer as page)
from part_pages
where snapshot_id = $part and source = $source and ($is_first or resource = 'users' or not is_accepted)
