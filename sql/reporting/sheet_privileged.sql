-- Which privileged accounts does the workbook list, the highest roles first?
select
    row_number() over (
        order by role_rank desc nulls last, role_display_name, lower(label), source, account_id
    ) as line,
    label as "Name",
    email as "E-mail or user name",
    department as "Department",
    role_display_name as "Role",
    status as "Status",
    finding_count as "Open findings",
    cast(last_seen_at as date) as "Last seen",
    days_since_seen as "Days ago",
    replace(account_type, '_', ' ') as "Kind",
    coalesce(granted_via, 'own role') as "Granted through",
    privileged_since as "Privileged since",
    cast(created_at as date) as "Created",
    source as "Source",
    account_id as "Account id"
from reports.privileged_accounts
