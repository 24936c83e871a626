-- How many open findings has each department, by severity?
select
    coalesce(account.department, '(no department)') as department,
    count(*) as findings,
    count(*) filter (where finding.severity = 'critical') as critical,
    count(*) filter (where finding.severity = 'high') as high,
    count(*) filter (where finding.severity = 'medium') as medium,
    count(*) filter (where finding.severity in ('low', 'info')) as lower_ones,
    count(distinct finding.source || ':' || finding.account_id) as accounts
from reports.findings as finding
left join reports.population as account
    on account.source = finding.source and account.account_id = finding.account_id
where finding.status = 'open'
group by 1
order by findings desc, department
