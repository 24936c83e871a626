-- Which requests did an extract make, and what did each return?
-- $snapshot: the snapshot's id
select source, resource, sweep, page, url, status, items, bytes, elapsed_ms, attempts, is_accepted, sha256, started_at
from meta.pages
where snapshot_id = $snapshot
order by started_at, source, resource, sweep, page
