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
evaluated_again = "bigint: open findings that the last report did not have, although an earlier snapshot did: it could not evaluate them; null without an earlier report"
not_evaluated   = "bigint: findings that the last report had as open and that this snapshot does not have, but could not evaluate, by the severity that they had; null like resolved"

[checks.agrees_with_the_findings]
level = "fail"
sql = """
select trend.severity || ': the trend has ' || trend.open || ' open findings, the register has ' || count(found.finding_id) as problem
from reports.current_trend as trend
left join findings.register as found on found.severity = trend.severity and found.status = 'open'
group by trend.severity, trend.open
having count(found.finding_id) <> trend.open
"""

[checks.adds_up]
level = "fail"
sql = """
select
    'the last report had ' || before.findings || ' open findings; with ' || sum(trend.new) || ' new, ' || sum(trend.reopened) || ' reopened, '
        || sum(trend.evaluated_again) || ' evaluated again, ' || sum(trend.resolved) || ' resolved and ' || sum(trend.not_evaluated)
        || ' not evaluated now, that is not the ' || sum(trend.open) || ' that are open' as problem
from reports.current_trend as trend
cross join (
    select count(*) as findings
    from history.register as found
    join (
        select max(reports.snapshot_id) as snapshot_id from baseline.reports as reports
        having arg_max(reports.has_findings, reports.snapshot_id)
    ) as last_report on last_report.snapshot_id = found.snapshot_id
    where found.status = 'open'
) as before
group by before.findings
having before.findings + sum(trend.new + trend.reopened + trend.evaluated_again) - sum(trend.resolved + trend.not_evaluated) <> sum(trend.open)
"""
*/
with

-- Without its findings, an earlier report is nothing to compare with.
last_report as (
    select max(reports.snapshot_id) as snapshot_id from baseline.reports as reports
    having arg_max(reports.has_findings, reports.snapshot_id)
),

open_before as (
    select found.finding_id, found.severity
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
        found.finding_id, found.severity, last_report.snapshot_id is not null and before.finding_id is null as has_come,
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
        count(*) filter (where is_reopened) as reopened,
        count(*) filter (where has_come and not is_new and not is_reopened) as evaluated_again
    from open_now
    group by severity
),

resolved_counts as (
    select severity, count(*) as resolved from reports.resolved_findings group by severity
),

not_evaluated_counts as (
    select before.severity, count(*) as not_evaluated
    from open_before as before
    anti join open_now on open_now.finding_id = before.finding_id
    anti join reports.resolved_findings as resolved on resolved.finding_id = before.finding_id
    group by before.severity
)

select
    snapshot.snapshot_id, snapshot.as_of, severities.severity,
    case when last_report.snapshot_id is not null then coalesce(open_counts.new, 0) end as new,
    case
        when last_report.snapshot_id is not null and snapshot.completeness = 'FULL'
            then coalesce(resolved_counts.resolved, 0)
    end as resolved,
    coalesce(open_counts.open, 0) as open,
    case when last_report.snapshot_id is not null then coalesce(open_counts.reopened, 0) end as reopened,
    case when last_report.snapshot_id is not null then coalesce(open_counts.evaluated_again, 0) end as evaluated_again,
    case
        when last_report.snapshot_id is not null and snapshot.completeness = 'FULL'
            then coalesce(not_evaluated_counts.not_evaluated, 0)
    end as not_evaluated
from reference.severities as severities
cross join reference.snapshot as snapshot
left join last_report on true
left join open_counts on open_counts.severity = severities.severity
left join resolved_counts on resolved_counts.severity = severities.severity
left join not_evaluated_counts on not_evaluated_counts.severity = severities.severity

/* example
name = "findings are new, reopened or still open since the last report, by the severity that they have now; resolved ones by the one they had"
given."reference.snapshot" = [ { snapshot_id = "9", as_of = 2026-04-01T00:00:00Z, completeness = "FULL" } ]
given."baseline.reports" = [ { snapshot_id = "3", has_findings = true }, { snapshot_id = "1", has_findings = true } ]
given."history.register" = [
  { snapshot_id = "1", finding_id = "back", severity = "low", status = "open" },
  { snapshot_id = "3", finding_id = "still", severity = "low", status = "open" },
  { snapshot_id = "3", finding_id = "accepted then", severity = "low", status = "accepted_risk" },
  { snapshot_id = "3", finding_id = "x", severity = "medium", status = "open" },
  { snapshot_id = "3", finding_id = "not evaluated now", severity = "info", status = "open" },
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
  { severity = "low", new = 0, resolved = 0, open = 3, reopened = 2, evaluated_again = 1, not_evaluated = 0 },
  { severity = "info", new = 0, resolved = 0, open = 0, reopened = 0, evaluated_again = 0, not_evaluated = 1 },
]
*/
/* example
name = "a partial snapshot does not show what is resolved"
given."reference.snapshot" = [ { snapshot_id = "9", as_of = 2026-04-01T00:00:00Z, completeness = "PARTIAL" } ]
given."baseline.reports" = [ { snapshot_id = "3", has_findings = true } ]
expect = [
  { severity = "critical", new = 0, resolved = "<null>", open = 0, reopened = 0, not_evaluated = "<null>" },
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
  { severity = "critical", new = "<null>", resolved = "<null>", open = 0, reopened = "<null>", evaluated_again = "<null>", not_evaluated = "<null>" },
  { severity = "high", new = "<null>", resolved = "<null>", open = 1, reopened = "<null>" },
  { severity = "medium", open = 0 }, { severity = "low", open = 0 }, { severity = "info", open = 0 },
]
*/
