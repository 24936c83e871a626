/*
summary = "The number of findings of one rule with one severity."
reads   = ["findings.register", "reference.severities"]
grain   = ["rule_id", "severity"]

[columns]
rule_id       = "varchar: the rule"
severity      = "varchar: critical, high, medium, low or info"
severity_rank = "integer: 1 critical to 5 info"
findings      = "bigint: findings, including excused ones"
open_findings = "bigint: open findings"
*/
select
    register.rule_id,
    register.severity,
    severities.position as severity_rank,
    count(*) as findings,
    count(*) filter (where register.status = 'open') as open_findings
from findings.register as register
join reference.severities as severities on severities.severity = register.severity
group by register.rule_id, register.severity, severities.position
