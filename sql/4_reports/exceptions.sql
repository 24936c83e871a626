/*
summary = "One line of exceptions.csv: a risk somebody has accepted, until when, and what it excuses today."
reads   = ["policy.exceptions", "graph.policy_subjects", "findings.register", "findings.rule_summary", "reference.snapshot"]
grain   = ["line"]

[columns]
line        = "integer: line of the policy file"
rule_id     = "varchar: the rule it is for"
title       = "varchar: the rule in a few words; null if there is no such rule"
source      = "varchar: the source it is about; null for all"
subject     = "varchar: what the line says: id, user name, e-mail address or name"
reason      = "varchar: why"
approved_by = "varchar: who decided"
expires_on  = "date: the last day on which it holds"
days_left   = "bigint: whole days from the day of as-of to that day; below zero once it has expired"
findings    = "bigint: findings that it excuses"
state       = "varchar: in_force, idle (in force, and nothing to excuse), expired or names_nothing"
*/
with

known as (
    select distinct line from graph.policy_subjects where policy = 'exceptions'
),

excused as (
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
    coalesce(excused.findings, 0) as findings,
    case
        when lines.expires_on < today.today then 'expired'
        when known.line is null then 'names_nothing'
        when coalesce(excused.findings, 0) = 0 then 'idle'
        else 'in_force'
    end as state
from policy.exceptions as lines
cross join today
left join findings.rule_summary as rules on rules.rule_id = lines.rule_id
left join known on known.line = lines.line
left join excused on excused.line = lines.line
order by lines.expires_on, lines.line

/* example
name = "the last day still counts; what has expired excuses nothing"
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
