-- Which rules have findings at each severity, and what is to be done?
select
    found.severity, found.rule_id, min(rules.title) as title, min(rules.remediation) as recommended_action,
    count(*) filter (where found.status = 'open') as open_findings
from reports.finding_rows as found
join reports.rule_summary as rules using (rule_id)
group by found.severity, found.rule_id
order by min(found.severity_rank), open_findings desc, title, found.rule_id
