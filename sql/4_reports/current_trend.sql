/*
summary = "The findings of this snapshot of one severity, and what changed since the last report of an earlier snapshot."
reads   = [
    "reference.snapshot", "reference.severities", "findings.register", "baseline.reports", "history.register",
    "reports.resolved_findings",
]
grain   = ["severity"]

[columns]
snapshot_id = "varchar: the snapshot"
as_of       = "timestamp: when the rules were evaluated, UTC"
severity    = "varchar: critical, high, medium, low or info"
new         = "bigint: open findings that no earlier snapshot had; null without an earlier report"
resolved    = "bigint: findings that the last report had as open and that are gone, accepted or out of scope; null without an earlier report, or if the snapshot is not complete"
open        = "bigint: open findings"
reopened    = "bigint: open findings that the last report did not have as open, and that an earlier snapshot had; null without an earlier report"

[checks.agrees_with_the_findings]
level = "fail"
sql = """
select trend.severity || ': the trend has ' || trend.open || ' open findings, the register has ' || count(found.finding_id) as problem
from reports.current_trend as trend
left join findings.register as found on found.severity = trend.severity and found.status = 'open'
group by trend.severity, trend.open
having count(found.finding_id) <> trend.open
"""

# What was open, less what was resolved, is what is still open: it cannot be less than that.
[checks.adds_up]
level = "fail"
sql = """
select 'the trend has more findings resolved than the last report had' as problem
from reports.current_trend
having sum(resolved) > (
    select count(*)
    from history.register
    where status = 'open' and snapshot_id = (
        select max(reports.snapshot_id) from baseline.reports as reports
        having arg_max(reports.has_findings, reports.snapshot_id)
    )
) or sum(new + reopened) > sum(open)
"""
*/
with

-- Without its findings, an earlier report is nothing to compare with.
last_report as (
    select max(reports.snapshot_id) as snapshot_id from baseline.reports as reports
    having arg_max(reports.has_findings, reports.snapshot_id)
),

open_before as (
    select found.finding_id
    from history.register as found
    join last_report on last_report.snapshot_id = found.snapshot_id
    where found.status = 'open'
),

excused_before as (
    select found.finding_id
    from history.register as found
    join last_report on last_report.snapshot_id = found.snapshot_id
    where found.status <> 'open'
),

-- A finding that the last report could not evaluate is neither new nor reopened.
open_now as (
    select
        found.severity,
        before.finding_id is null and found.first_seen_snapshot_id > last_report.snapshot_id as is_new,
        before.finding_id is null and found.first_seen_snapshot_id <= last_report.snapshot_id
            and (excused.finding_id is not null or coalesce(found.returned_snapshot_id > last_report.snapshot_id, false))
            as is_reopened
    from findings.register as found
    left join last_report on true
    left join open_before as before on before.finding_id = found.finding_id
    left join excused_before as excused on excused.finding_id = found.finding_id
    where found.status = 'open'
),

open_counts as (
    select
        severity, count(*) as open, count(*) filter (where is_new) as new,
        count(*) filter (where is_reopened) as reopened
    from open_now
    group by severity
),

resolved_counts as (
    select severity, count(*) as resolved from reports.resolved_findings group by severity
)

select
    snapshot.snapshot_id, snapshot.as_of, severities.severity,
    case when last_report.snapshot_id is not null then coalesce(open_counts.new, 0) end as new,
    case
        when last_report.snapshot_id is not null and snapshot.completeness = 'FULL'
            then coalesce(resolved_counts.resolved, 0)
    end as resolved,
    coalesce(open_counts.open, 0) as open,
    case when last_report.snapshot_id is not null then coalesce(open_counts.reopened, 0) end as reopened
from reference.severities as severities
cross join reference.snapshot as snapshot
left join last_report on true
left join open_counts on open_counts.severity = severities.severity
left join resolved_counts on resolved_counts.severity = severities.severity

/* example
name = "findings are new, reopened or still open since the last report, by the severity that they have now; resolved ones by the one they had"
given."reference.snapshot" = [ { snapshot_id = "9", as_of = 2026-04-01T00:00:00Z, completeness = "FULL" } ]
given."baseline.reports" = [ { snapshot_id = "3", has_findings = true }, { snapshot_id = "1", has_findings = true } ]
given."history.register" = [
  { snapshot_id = "1", finding_id = "back", severity = "low", status = "open" },
  { snapshot_id = "3", finding_id = "still", severity = "low", status = "open" },
  { snapshot_id = "3", finding_id = "accepted then", severity = "low", status = "accepted_risk" },
]
given."findings.register" = [
  { finding_id = "new", severity = "high", status = "open", first_seen_snapshot_id = "9" },
  { finding_id = "seen since", severity = "high", status = "open", first_seen_snapshot_id = "4" },
  { finding_id = "still", severity = "high", status = "open", first_seen_snapshot_id = "1" },
  { finding_id = "back", severity = "low", status = "open", first_seen_snapshot_id = "1", returned_snapshot_id = "5" },
  { finding_id = "accepted then", severity = "low", status = "open", first_seen_snapshot_id = "1" },
  { finding_id = "not evaluated then", severity = "low", status = "open", first_seen_snapshot_id = "1", returned_snapshot_id = "2" },
  { finding_id = "accepted", severity = "high", status = "accepted_risk", first_seen_snapshot_id = "9" },
]
given."reports.resolved_findings" = [ { finding_id = "x", severity = "medium" } ]
expect = [
  { severity = "critical", new = 0, resolved = 0, open = 0, reopened = 0 },
  { severity = "high", new = 2, resolved = 0, open = 3, reopened = 0 },
  { severity = "medium", new = 0, resolved = 1, open = 0, reopened = 0 },
  { severity = "low", new = 0, resolved = 0, open = 3, reopened = 2 },
  { severity = "info", new = 0, resolved = 0, open = 0, reopened = 0 },
]
*/
/* example
name = "a partial snapshot does not show what is resolved"
given."reference.snapshot" = [ { snapshot_id = "9", as_of = 2026-04-01T00:00:00Z, completeness = "PARTIAL" } ]
given."baseline.reports" = [ { snapshot_id = "3", has_findings = true } ]
expect = [
  { severity = "critical", new = 0, resolved = "<null>", open = 0, reopened = 0 },
  { severity = "high", new = 0, resolved = "<null>", open = 0, reopened = 0 },
  { severity = "medium", new = 0, resolved = "<null>", open = 0, reopened = 0 },
  { severity = "low", new = 0, resolved = "<null>", open = 0, reopened = 0 },
  { severity = "info", new = 0, resolved = "<null>", open = 0, reopened = 0 },
]
*/
/* example
name = "without an earlier report, or without its findings, only what is open is known"
given."reference.snapshot" = [ { snapshot_id = "9", as_of = 2026-04-01T00:00:00Z, completeness = "FULL" } ]
given."baseline.reports" = [ { snapshot_id = "3", has_findings = false } ]
given."findings.register" = [ { finding_id = "new", severity = "high", status = "open", first_seen_snapshot_id = "9" } ]
expect = [
  { severity = "critical", new = "<null>", resolved = "<null>", open = 0, reopened = "<null>" },
  { severity = "high", new = "<null>", resolved = "<null>", open = 1, reopened = "<null>" },
  { severity = "medium", open = 0 }, { severity = "low", open = 0 }, { severity = "info", open = 0 },
]
*/
