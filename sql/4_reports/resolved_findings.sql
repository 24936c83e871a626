/*
summary = "One finding that was open in the last report and no longer is: it is gone, or it was accepted."
reads   = [
    "baseline.reports", "history.register", "history.evaluations", "history.unknown_subjects", "findings.register",
    "findings.evaluations", "findings.unknown_subjects",
]
grain   = ["finding_id"]

[columns]
finding_id  = "varchar: hash of the rule and the subject"
rule_id     = "varchar: the rule"
severity    = "varchar: critical, high, medium, low or info, as in the last report"
is_fixed    = "boolean: it is gone; false if it was accepted or is out of scope"
days_to_fix = "bigint: calendar days in UTC from first seen, or from when it came back, to the first snapshot without it; null unless fixed"
*/
with

last_report as (
    select max(reports.snapshot_id) as snapshot_id from baseline.reports as reports
    having arg_max(reports.has_findings, reports.snapshot_id)
),

open_before as (
    select found.*
    from history.register as found
    join last_report on last_report.snapshot_id = found.snapshot_id
    where found.status = 'open'
),

-- Snapshots since then that were not reported may still have had the finding.
last_seen_findings as (
    select found.finding_id, max(found.snapshot_id) as snapshot_id, arg_max(found.due_from_at, found.snapshot_id) as due_from_at
    from history.register as found
    join open_before on open_before.finding_id = found.finding_id
    where found.snapshot_id < $snapshot_id
    group by found.finding_id
),

-- Every complete snapshot after that in which the rule passed for the subject, this one included.
absences as (
    select before.finding_id, evaluations.finished_at
    from open_before as before
    join last_seen_findings as seen on seen.finding_id = before.finding_id
    join history.evaluations as evaluations
        on evaluations.rule_id = before.rule_id and evaluations.source = coalesce(before.source, '')
        and evaluations.object_type = coalesce(before.object_type, '') and evaluations.is_conclusive
        and evaluations.snapshot_id > seen.snapshot_id and evaluations.snapshot_id < $snapshot_id
    anti join history.unknown_subjects as subjects
        on subjects.snapshot_id = evaluations.snapshot_id and subjects.rule_id = before.rule_id
        and subjects.source = coalesce(before.source, '') and subjects.subject_id = before.subject_id
    union all
    select before.finding_id, evaluations.finished_at
    from open_before as before
    join findings.evaluations as evaluations
        on evaluations.rule_id = before.rule_id and evaluations.source = coalesce(before.source, '')
        and evaluations.object_type = coalesce(before.object_type, '') and evaluations.is_conclusive
    anti join findings.unknown_subjects as subjects
        on subjects.rule_id = before.rule_id and subjects.source = coalesce(before.source, '')
        and subjects.subject_id = before.subject_id
),

first_absences as (
    select finding_id, min(finished_at) as finished_at from absences group by finding_id
)

select
    before.finding_id, before.rule_id, before.severity, now.finding_id is null as is_fixed,
    case
        when now.finding_id is null then greatest(date_diff('day', seen.due_from_at, first_absences.finished_at), 0)
    end as days_to_fix
from open_before as before
join last_seen_findings as seen on seen.finding_id = before.finding_id
left join findings.register as now on now.finding_id = before.finding_id
left join first_absences on first_absences.finding_id = before.finding_id
where now.status in ('accepted_risk', 'out_of_scope') or (now.finding_id is null and first_absences.finding_id is not null)

/* example
name = "a finding is resolved if it is accepted, or if a complete snapshot shows that it is gone; the first such snapshot ends its days to fix"
as_of = 2026-04-01T00:00:00Z
given."baseline.reports" = [ { snapshot_id = "1", has_findings = true }, { snapshot_id = "0", has_findings = false } ]
given."history.register" = [
  { snapshot_id = "0", finding_id = "before", rule_id = "r", severity = "low", source = "s", subject_id = "z", status = "open" },
  { snapshot_id = "1", finding_id = "now", rule_id = "r", severity = "low", source = "s", subject_id = "a", status = "open" },
  { snapshot_id = "1", finding_id = "accepted", rule_id = "r", severity = "low", source = "s", subject_id = "b", status = "open" },
  { snapshot_id = "1", finding_id = "excused before", rule_id = "r", severity = "low", source = "s", subject_id = "c", status = "accepted_risk" },
  { snapshot_id = "1", finding_id = "gone", rule_id = "r", severity = "high", source = "s", subject_id = "d", status = "open", due_from_at = 2026-01-01T12:00:00Z },
  { snapshot_id = "1", finding_id = "gone today", rule_id = "r", severity = "low", source = "s", subject_id = "e", status = "open", due_from_at = 2026-01-01T12:00:00Z },
  { snapshot_id = "2", finding_id = "gone today", rule_id = "r", severity = "low", source = "s", subject_id = "e", status = "open", due_from_at = 2026-01-01T12:00:00Z },
  { snapshot_id = "1", finding_id = "not known", rule_id = "r", severity = "low", source = "s", subject_id = "f", status = "open" },
  { snapshot_id = "1", finding_id = "rule off", rule_id = "off", severity = "low", source = "s", subject_id = "g", status = "open" },
  { snapshot_id = "1", finding_id = "no such source", rule_id = "r", severity = "low", source = "t", subject_id = "g", status = "open" },
]
given."history.evaluations" = [
  { snapshot_id = "2", finished_at = 2026-02-01T00:00:00Z, rule_id = "r", source = "s", object_type = "", is_conclusive = true },
]
given."history.unknown_subjects" = [ { snapshot_id = "2", rule_id = "r", source = "s", subject_id = "f" } ]
given."findings.evaluations" = [
  { finished_at = 2026-04-01T00:00:00Z, rule_id = "r", source = "s", object_type = "", is_conclusive = true },
  { finished_at = 2026-04-01T00:00:00Z, rule_id = "off", source = "s", object_type = "", is_conclusive = false },
]
given."findings.unknown_subjects" = [ { rule_id = "r", source = "s", subject_id = "f" } ]
given."findings.register" = [
  { finding_id = "now", status = "open" }, { finding_id = "accepted", status = "accepted_risk" }, { finding_id = "new", status = "open" },
]
expect = [
  { finding_id = "accepted", is_fixed = false, days_to_fix = "<null>" },
  { finding_id = "gone", severity = "high", is_fixed = true, days_to_fix = 31 },
  { finding_id = "gone today", is_fixed = true, days_to_fix = 90 },
]
*/
