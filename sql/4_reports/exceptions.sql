/*
summary = "One line of exceptions.csv: an accepted risk, its end date, and the findings it excuses."
reads   = ["policy.exceptions", "graph.policy_subjects", "findings.register", "findings.rule_summary", "reference.snapshot"]
grain   = ["line"]

[columns]
line        = "integer: line of the policy file"
rule_id     = "varchar: the rule it is for"
title       = "varchar: title of the rule; null if there is no such rule"
source      = "varchar: the source; null for all"
subject     = "varchar: the subject as written: id, user name, e-mail address or name"
reason      = "varchar: reason for accepting the risk"
approved_by = "varchar: who approved it"
expires_on  = "date: the last day on which it is in force"
days_left   = "bigint: whole days from the day of as-of to that day; negative once it has expired"
findings    = "bigint: number of findings that it excuses"
state       = "varchar: in_force, idle (in force without a finding), expired or names_nothing (no such subject)"
*/
with

resolved_lines as (
    select distinct line from graph.policy_subjects where policy = 'exceptions'
),

excused_findings as (
    select subjects.line, count(distinct found.finding_id) as findings
    from graph.policy_subjects as subjects
    join findings.register as found
        on found.rule_id = subjects.rule_id and found.subject_type = subjects.subject_type
        and found.subject_id = subjects.subject_id and coalesce(found.source, '') = subjects.source
    where subjects.policy = 'exceptions' and subjects.is_in_force and found.status = 'accepted_risk'
    group by subjects.line
),

today as (
    select cast(as_of as date) as today from reference.snapshot
)

select
    lines.line,
    lines.rule_id,
    rules.title,
    lines.source,
    lines.subject,
    lines.reason,
    lines.approved_by,
    lines.expires_on,
    date_diff('day', today.today, lines.expires_on) as days_left,
    coalesce(excused_findings.findings, 0) as findings,
    case
        when lines.expires_on < today.today then 'expired'
        when resolved_lines.line is null then 'names_nothing'
        when coalesce(excused_findings.findings, 0) = 0 then 'idle'
        else 'in_force'
    end as state
from policy.exceptions as lines
cross join today
left join findings.rule_summary as rules on rules.rule_id = lines.rule_id
left join resolved_lines on resolved_lines.line = lines.line
left join excused_findings on excused_findings.line = lines.line

/* example
name = "an exception is in force on its last day; an expired one excuses nothing"
given."reference.snapshot" = [ { as_of = 2026-03-01T12:00:00Z } ]
given."findings.rule_summary" = [ { rule_id = "r", title = "Rule" } ]
given."policy.exceptions" = [
  { line = 2, rule_id = "r", subject = "ada", reason = "x", approved_by = "y", expires_on = 2026-03-01 },
  { line = 3, rule_id = "r", subject = "bob", reason = "x", approved_by = "y", expires_on = 2026-02-28 },
  { line = 4, rule_id = "r", subject = "nobody", reason = "x", approved_by = "y", expires_on = 2026-03-31 },
  { line = 5, rule_id = "r", subject = "cyd", reason = "x", approved_by = "y", expires_on = 2026-03-31 },
]
given."graph.policy_subjects" = [
  { policy = "exceptions", line = 2, rule_id = "r", subject_type = "account", source = "s", subject_id = "1", is_in_force = true },
  { policy = "exceptions", line = 3, rule_id = "r", subject_type = "account", source = "s", subject_id = "2", is_in_force = false },
  { policy = "exceptions", line = 5, rule_id = "r", subject_type = "account", source = "s", subject_id = "3", is_in_force = true },
]
given."findings.register" = [
  { finding_id = "f1", rule_id = "r", subject_type = "account", source = "s", subject_id = "1", status = "accepted_risk" },
  { finding_id = "f2", rule_id = "r", subject_type = "account", source = "s", subject_id = "2", status = "open" },
]
expect = [
  { line = 2, title = "Rule", days_left = 0, findings = 1, state = "in_force" },
  { line = 3, days_left = -1, findings = 0, state = "expired" },
  { line = 4, days_left = 30, findings = 0, state = "names_nothing" },
  { line = 5, days_left = 30, findings = 0, state = "idle" },
]
*/
