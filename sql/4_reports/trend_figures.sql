/*
summary = "One figure of this snapshot, or of one of the last eight complete ones that were reported; null if it is not known."
reads   = ["reports.current_figures", "history.trend_figures", "baseline.reports"]
grain   = ["snapshot_id", "figure"]

[columns]
snapshot_id = "varchar: the snapshot"
as_of       = "timestamp: when the rules were evaluated, UTC"
figure      = "varchar: privileged_accounts, stale_accounts, approved_percent, removed_percent or median_days_to_fix, as in reports.current_figures"
value       = "double: its value; null if it is not known"
*/
select snapshot_id, as_of, figure, value from reports.current_figures
union all
select figures.snapshot_id, figures.as_of, figures.figure, figures.value
from history.trend_figures as figures
join baseline.reports as reports on reports.snapshot_id = figures.snapshot_id

/* example
name = "this snapshot and the earlier ones that were reported"
given."reports.current_figures" = [ { snapshot_id = "9", figure = "stale_accounts", value = 2 } ]
given."history.trend_figures" = [
  { snapshot_id = "3", figure = "stale_accounts", value = 1 }, { snapshot_id = "4", figure = "stale_accounts", value = 5 },
]
given."baseline.reports" = [ { snapshot_id = "3", has_findings = true } ]
expect = [
  { snapshot_id = "9", figure = "stale_accounts", value = 2.0 }, { snapshot_id = "3", figure = "stale_accounts", value = 1.0 },
]
*/
