-- Which reports are chained to a manifest that the database does not know?
select
    'meta.reports' as place,
    'the report of snapshot ' || reports.snapshot_id || ' is chained to an unknown manifest' as problem
from meta.reports as reports
anti join meta.reports as earlier on earlier.manifest_sha256 = reports.previous_manifest_sha256
where reports.previous_manifest_sha256 is not null
order by reports.snapshot_id
