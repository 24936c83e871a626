-- The newest sealed report of a build
-- $snapshot_id: the snapshot
-- $build_id: the build
select manifest_sha256
from meta.reports
where snapshot_id = $snapshot_id and build_id = $build_id
order by written_at desc, manifest_sha256
limit 1
