-- How many findings of each severity are open, overdue, and due within a week?
select
    severities.severity, severities.days_to_fix,
    count(found.finding_id) as open_findings,
    count(found.finding_id) filter (where found.overdue) as overdue,
    count(found.finding_id) filter (
        where not found.overdue and date_diff('day', cast(snapshot.as_of as date), found.due_at) <= 7
    ) as due_soon
from reference.severities as severities
cross join reports.snapshot as snapshot
left join reports.finding_rows as found on found.severity = severities.severity and found.status = 'open'
group by severities.position, severities.severity, severities.days_to_fix
order by severities.position
