-- How many open findings has each department, the most severe first? People without a department are one row, with the
-- findings that are about no account. A finding about a person counts for each of their accounts.
-- $rows: the most departments
with department_accounts as (
    select found.department, count(distinct (counted.source, counted.account_id)) as accounts
    from reports.finding_rows as found
    join reports.finding_accounts as counted on counted.finding_id = found.finding_id
    where found.status = 'open'
    group by found.department
)

select
    found.department,
    count(*) as findings,
    count(*) filter (where severity = 'critical') as critical,
    count(*) filter (where severity = 'high') as high,
    count(*) filter (where severity = 'medium') as medium,
    count(*) filter (where severity = 'low') as low,
    count(*) filter (where severity = 'info') as info,
    count(*) filter (where overdue) as overdue,
    coalesce(any_value(department_accounts.accounts), 0) as accounts,
    count(*) over () as total
from reports.finding_rows as found
left join department_accounts on department_accounts.department is not distinct from found.department
where found.status = 'open'
group by found.department
order by critical desc, high desc, medium desc, low desc, findings desc, found.department nulls last
limit $rows
