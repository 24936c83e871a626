-- Which accounts of people in several sources does the workbook list, side by side?
select
    row_number() over (order by lower(coalesce(person, person_id)), person_id, source, account_id) as line,
    coalesce(person, person_id) as "Person",
    department as "Department",
    employment_status as "Employment",
    source as "Source",
    status as "Status",
    case when is_directory then 'user of the directory' else role_display_name end as "Role",
    case when privileged then 'yes' when not privileged then 'no' end as "Privileged",
    cast(last_seen_at as date) as "Last seen",
    accounts as "Accounts",
    sources as "Sources",
    groups as "Groups",
    user_name as "User name",
    email as "E-mail",
    replace(person_match, '_', ' ') as "Matched by",
    person_id as "Person id",
    account_id as "Account id"
from reports.person_access
