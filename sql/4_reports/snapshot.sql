/*
summary = "One row: the snapshot and the build that the reports show."
reads   = ["reference.snapshot", "baseline.snapshot"]
grain   = ["snapshot_id"]

[columns]
snapshot_id          = "varchar: the snapshot"
build_id             = "varchar: hash of everything that the reports depend on"
folder               = "varchar: name of the report folder"
organization         = "varchar: the organization under review"
as_of                = "timestamp: the moment as of which everything is evaluated, UTC"
started_at           = "timestamp: start of the extract"
finished_at          = "timestamp: end of the extract"
completeness         = "varchar: FULL, PARTIAL or UNKNOWN"
reason               = "varchar: why it is not FULL"
tool_version         = "varchar: version that made the extract"
baseline_snapshot_id = "varchar: the baseline"
baseline_as_of       = "timestamp: as-of of the baseline, UTC"
*/
select
    current.snapshot_id, current.build_id, current.folder, current.organization, current.as_of, current.started_at,
    current.finished_at, current.completeness, current.reason, current.tool_version, current.baseline_snapshot_id,
    base.as_of as baseline_as_of
from reference.snapshot as current
left join baseline.snapshot as base on true
