-- Which rules does the workbook list, the most severe first?
select
    row_number() over (order by not enabled, severities.position, title, rules.rule_id) as line,
    rules.severity as "Severity",
    rules.title as "Rule",
    case results.outcome
        when 'found' then results.open_findings || ' open'
        when 'excused' then 'excused'
        when 'passed' then 'passed'
        when 'empty' then 'nothing to examine'
        when 'off' then 'off'
        else 'not evaluated'
    end as "Result",
    rules.population as "Examined",
    rules.failed as "Failed",
    rules.passed as "Passed",
    rules.unknown as "Not evaluated",
    rules.summary as "What it finds",
    rules.remediation as "What to do",
    rules.controls as "Controls",
    rules.parameters as "Parameters",
    rules.rule_id as "Rule id",
    rules.sql_sha256 as "SHA-256 of its SQL"
from reports.rule_summary as rules
join reports.rule_results as results on results.rule_id = rules.rule_id
join reference.severities as severities on severities.severity = rules.severity
