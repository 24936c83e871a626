-- Which findings does the workbook list, open ones first, the most severe on top, and then what is due first?
select
    row_number() over (
        order by
            found.status <> 'open', found.severity_rank, registered.due_at nulls last, registered.title,
            lower(found.label), found.finding_id
    ) as line,
    found.severity as "Severity",
    registered.title as "Finding",
    found.label as "Name",
    -- Department, role and address are those of an account, which an object does not have.
    case when found.subject_type <> 'object' then found.department end as "Department",
    found.detail as "What was found",
    registered.recommended_action as "What to do",
    registered.owner_email as "Owner",
    registered.due_at as "Due",
    case when registered.overdue then 'overdue' else replace(found.status, '_', ' ') end as "Status",
    registered.age_days as "Age, days",
    cast(registered.first_seen_at as date) as "First seen",
    case when found.subject_type <> 'object' then found.role end as "Role",
    case when found.subject_type <> 'object' then cast(found.last_seen_at as date) end as "Last seen",
    found.email as "E-mail of the account",
    registered.controls as "Controls",
    found.kind as "About",
    found.source as "Source",
    found.rule_id as "Rule id",
    found.subject_id as "Subject id",
    found.finding_id as "Finding id"
from reports.finding_rows as found
join reports.findings as registered on registered.finding_id = found.finding_id
