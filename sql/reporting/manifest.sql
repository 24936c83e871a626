-- Which facts about the build and the roster go into the manifest?
select parameters, roster_file, roster_sha256, config_sha256, (select count(*) from policy.roster) as people
from meta.builds
join meta.snapshots using (snapshot_id)
where build_id = (select build_id from reports.snapshot)
