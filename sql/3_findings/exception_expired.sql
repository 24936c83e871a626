/*
title       = "Expired exception"
summary     = "A subject whose exception in exceptions.csv has expired."
severity    = "medium"
population  = """
select distinct source, rule_id as excused_rule_id, subject_type, subject_id
from graph.policy_subjects where policy = 'exceptions'
"""
reads       = ["graph.policy_subjects", "baseline.register", "reference.rules"]
grain       = ["source", "excused_rule_id", "subject_type", "subject_id"]
remediation = "Resolve the finding, or have the exception approved again with a new date. Then remove the old line."

[controls]
*/
with

exceptions as (
    select
        source, rule_id, subject_type, subject_id, max(expires_on) as expires_on, bool_or(is_in_force) as is_in_force,
        max(reason) as reason, max(approved_by) as approved_by
    from graph.policy_subjects
    where policy = 'exceptions'
    group by source, rule_id, subject_type, subject_id
),

-- The excused findings, as the baseline recorded them while their exceptions were in force.
excused_findings as (
    select
        rule_id, coalesce(source, '') as source, subject_type, subject_id,
        min(case severity when 'critical' then 1 when 'high' then 2 when 'medium' then 3 when 'low' then 4 else 5 end)
            as severity_rank
    from baseline.register
    where status = 'accepted_risk'
    group by rule_id, coalesce(source, ''), subject_type, subject_id
)

select
    exceptions.source,
    exceptions.rule_id as excused_rule_id,
    exceptions.subject_type,
    exceptions.subject_id,
    'failed' as verdict,
    case excused_findings.severity_rank when 1 then 'critical' when 2 then 'high' when 3 then 'medium' when 4 then 'low'
        when 5 then 'info' else rule.severity end as severity,
    case when exceptions.subject_type = 'account' then exceptions.subject_id end as account_id,
    'The exception for ' || exceptions.rule_id || ' expired on ' || strftime(exceptions.expires_on, '%-d %b %Y')
        || ' (' || exceptions.reason || ', approved by ' || exceptions.approved_by || ').' as detail,
    'until ' || strftime(exceptions.expires_on, '%-d %b %Y') as observed_value,
    'an exception in force' as threshold
from exceptions
left join excused_findings
    on excused_findings.rule_id = exceptions.rule_id and excused_findings.source = exceptions.source
    and excused_findings.subject_type = exceptions.subject_type and excused_findings.subject_id = exceptions.subject_id
left join reference.rules as rule on rule.rule_id = exceptions.rule_id
where not exceptions.is_in_force

/* example
name = "an expired exception fails with the severity of the excused finding, or else of its rule; one in force, or renewed by another line, passes"
given."reference.rules" = [ { rule_id = "rule_a", severity = "medium" } ]
given."baseline.register" = [
  { finding_id = "f", rule_id = "rule_a", severity = "high", source = "s", subject_type = "account", subject_id = "1", status = "accepted_risk" },
]
given."graph.policy_subjects" = [
  { policy = "exceptions", line = 2, rule_id = "rule_a", source = "s", subject_type = "account", subject_id = "1", reason = "leave", approved_by = "ciso", expires_on = 2025-12-31, is_in_force = false },
  { policy = "exceptions", line = 3, rule_id = "rule_a", source = "s", subject_type = "account", subject_id = "2", reason = "leave", approved_by = "ciso", expires_on = 2025-12-31, is_in_force = false },
  { policy = "exceptions", line = 4, rule_id = "rule_a", source = "s", subject_type = "account", subject_id = "3", reason = "leave", approved_by = "ciso", expires_on = 2026-01-01, is_in_force = true },
  { policy = "exceptions", line = 5, rule_id = "rule_a", source = "s", subject_type = "account", subject_id = "4", reason = "leave", approved_by = "ciso", expires_on = 2025-12-31, is_in_force = false },
  { policy = "exceptions", line = 6, rule_id = "rule_a", source = "s", subject_type = "account", subject_id = "4", reason = "leave", approved_by = "ciso", expires_on = 2026-12-31, is_in_force = true },
  { policy = "out_of_scope", line = 2, source = "s", subject_type = "account", subject_id = "5", reason = "training", approved_by = "ciso", is_in_force = true },
]
expect = [
  { subject_id = "1", verdict = "failed", severity = "high", account_id = "1" },
  { subject_id = "2", verdict = "failed", severity = "medium", account_id = "2" },
]
population = 4
*/
