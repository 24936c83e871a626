-- How many open findings has each department, by severity?
select
    coalesce(department, '(no department)') as department,
    count(*) as findings,
    count(*) filter (where severity = 'critical') as critical,
    count(*) filter (where severity = 'high') as high,
    count(*) filter (where severity = 'medium') as medium,
    count(*) filter (where severity in ('low', 'info')) as lower_ones,
    count(distinct source || ':' || account_id) as accounts
from reports.finding_rows
where status = 'open'
group by 1
order by findings desc, department
