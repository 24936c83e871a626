-- How many open findings has each department, the most severe first? People without a department are one row.
-- $rows: the most departments
select
    department,
    count(*) as findings,
    count(*) filter (where severity = 'critical') as critical,
    count(*) filter (where severity = 'high') as high,
    count(*) filter (where severity = 'medium') as medium,
    count(*) filter (where severity = 'low') as low,
    count(*) filter (where severity = 'info') as info,
    count(*) filter (where overdue) as overdue,
    count(distinct (source, account_id)) filter (where account_id is not null) as accounts,
    count(*) over () as total
from reports.finding_rows
where status = 'open'
group by department
order by critical desc, high desc, medium desc, low desc, findings desc, department nulls last
limit $rows
