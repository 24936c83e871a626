/*
summary = "One row: the snapshot and the build that the reports show."
reads   = ["reference.snapshot"]
grain   = ["snapshot_id"]

[columns]
snapshot_id          = "varchar: the extract"
build_id             = "varchar: hash of everything the reports depend on"
folder               = "varchar: name of the report folder"
organization         = "varchar: whose review it is"
as_of                = "timestamp: the moment that everything is judged at"
started_at           = "timestamp: start of the extract"
finished_at          = "timestamp: end of the extract"
completeness         = "varchar: FULL, PARTIAL or UNKNOWN"
reason               = "varchar: why it is not FULL"
tool_version         = "varchar: version that made the extract"
baseline_snapshot_id = "varchar: the extract compared with"
*/
select
    snapshot_id, build_id, folder, organization, as_of, started_at, finished_at, completeness, reason, tool_version,
    baseline_snapshot_id
from reference.snapshot
