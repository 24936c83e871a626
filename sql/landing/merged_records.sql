-- Which records of one part belong to a merged snapshot?
-- $snapshot_id: the merged snapshot
-- $part: the snapshot that the part is in
-- $source: its source
-- $pages: the number of the last page before it
-- "part_records" is given by the program: a table of raw in the database that has the part.
select $snapshot_id as snapshot_id, * exclude (snapshot_id) replace ((page + $pages)::integer as page)
from part_records
where snapshot_id = $part and source = $source
