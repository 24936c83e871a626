-- Which accounts does the workbook list, those with the most severe open findings first?
select
    row_number() over (
        order by
            severities.position nulls last, lower(coalesce(display_name, email, user_name, account_id)), source,
            account_id
    ) as line,
    coalesce(display_name, email, user_name, account_id) as "Name",
    coalesce(email, user_name) as "E-mail or user name",
    department as "Department",
    status as "Status",
    coalesce(role_display_name, case when role_id is not null then 'unknown role' end) as "Role",
    case when privileged then 'yes' else 'no' end as "Privileged",
    top_severity as "Worst finding",
    finding_count as "Open findings",
    cast(last_seen_at as date) as "Last seen",
    days_since_seen as "Days ago",
    manager_email as "Manager",
    employment_status as "Employment",
    replace(account_type, '_', ' ') as "Kind",
    case when in_scope then 'yes' else 'no' end as "In scope",
    exclusion_reason as "Why not in scope",
    cast(created_at as date) as "Created",
    groups as "Groups",
    user_name as "User name",
    source as "Source",
    account_id as "Account id"
from reports.population
left join reference.severities as severities on severities.severity = top_severity
