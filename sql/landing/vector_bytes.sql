-- How much JSON may DuckDB hold at once when it reads the records of a snapshot, in bytes, and how many are there?
-- $snapshot_id: the snapshot
with

lists as (
    select sum(items) as records, sum(bytes) as list_bytes, max(greatest(bytes, 2048 * bytes / greatest(items, 1))) as vector_bytes
    from meta.pages
    where snapshot_id = $snapshot_id and is_accepted
    group by source, resource
)

-- It reads 2,048 records at a time. A list may be shorter, and one record longer than all the others of its page.
select
    coalesce(max(least(list_bytes, vector_bytes)), 0)::bigint as most_bytes,
    coalesce(sum(records), 0)::bigint as record_count
from lists
