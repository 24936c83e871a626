-- Which hashes identify what the build depends on?
select policy_sha256, reference_sha256, roster_file, roster_sha256, sql_sha256, config_sha256
from meta.builds
join meta.snapshots using (snapshot_id)
where build_id = (select build_id from reports.snapshot)
