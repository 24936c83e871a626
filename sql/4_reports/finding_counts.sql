/*
summary = "The number of findings of one rule with one severity."
reads   = ["findings.register"]
grain   = ["rule_id", "severity"]

[columns]
rule_id       = "varchar: the rule"
severity      = "varchar: critical, high, medium, low or info"
severity_rank = "integer: 1 critical to 5 info"
findings      = "bigint: findings, including excused ones"
open_findings = "bigint: open findings"
*/
select
    rule_id,
    severity,
    case severity when 'critical' then 1 when 'high' then 2 when 'medium' then 3 when 'low' then 4 else 5 end
        as severity_rank,
    count(*) as findings,
    count(*) filter (where status = 'open') as open_findings
from findings.register
group by rule_id, severity
