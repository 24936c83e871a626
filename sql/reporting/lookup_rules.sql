-- Which rules have findings, and what do they check?
select rule_id, title, summary, remediation, controls, parameters
from reports.rule_summary
where rule_id in (select rule_id from reports.findings)
order by rule_id
