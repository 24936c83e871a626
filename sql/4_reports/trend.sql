/*
summary = "The findings of one severity in this snapshot, or in one of the last eight complete ones that were reported, and what changed since the report before."
reads   = ["reports.current_trend", "history.trend", "baseline.reports", "reference.snapshot"]
grain   = ["snapshot_id", "severity"]

[columns]
snapshot_id = "varchar: the snapshot"
as_of       = "timestamp: when the rules were evaluated, UTC"
severity    = "varchar: critical, high, medium, low or info"
new         = "bigint: open findings that no earlier snapshot had; null if not known"
resolved    = "bigint: findings that the report before had as open and that were gone, accepted or out of scope, by the severity that it gave them; null if not known"
open        = "bigint: open findings; null if not known"
reopened    = "bigint: open findings that the report before did not have as open, and that an earlier snapshot had; null if not known"
read_at     = "timestamp: when the extract ended, UTC; the rows are compared in this order, whatever as_of is"
evaluated_again = "bigint: open findings that the report before did not have, although an earlier snapshot did: it could not evaluate them; null if not known"
not_evaluated   = "bigint: findings that the report before had as open and that this one could not evaluate, by the severity that they had; null if not known"
*/
select
    trend.snapshot_id, trend.as_of, trend.severity, trend.new, trend.resolved, trend.open, trend.reopened,
    date_trunc('second', snapshot.finished_at) as read_at, trend.evaluated_again, trend.not_evaluated
from reports.current_trend as trend
join reference.snapshot as snapshot on snapshot.snapshot_id = trend.snapshot_id
union all
select
    trend.snapshot_id, trend.as_of, trend.severity, trend.new, trend.resolved, trend.open, trend.reopened,
    reports.read_at, trend.evaluated_again, trend.not_evaluated
from history.trend as trend
join baseline.reports as reports on reports.snapshot_id = trend.snapshot_id

/* example
name = "this snapshot and the earlier ones that were reported"
given."reference.snapshot" = [ { snapshot_id = "9", finished_at = 2026-04-01T06:00:00.5Z } ]
given."reports.current_trend" = [ { snapshot_id = "9", severity = "low", new = 1, resolved = 0, open = 2, reopened = 0 } ]
given."history.trend" = [
  { snapshot_id = "3", severity = "low", open = 1 }, { snapshot_id = "4", severity = "low", open = 5 },
]
given."baseline.reports" = [ { snapshot_id = "3", has_findings = true, read_at = 2026-03-01T06:00:00Z } ]
expect = [
  { snapshot_id = "9", severity = "low", new = 1, open = 2, read_at = 2026-04-01T06:00:00Z }, { snapshot_id = "3", severity = "low", new = "<null>", open = 1, read_at = 2026-03-01T06:00:00Z },
]
*/
