-- Which seats does the workbook list, those that can be freed first?
select
    row_number() over (
        order by
            licences.reclaimable desc,
            lower(coalesce(account.display_name, licences.email, account.user_name, licences.account_id)),
            licences.source, licences.account_id
    ) as line,
    coalesce(account.display_name, licences.email, account.user_name, licences.account_id) as "Name",
    coalesce(licences.email, account.user_name) as "E-mail or user name",
    account.department as "Department",
    licences.seat_class as "Seat",
    licences.status as "Status",
    licences.days_since_seen as "Last seen, days ago",
    case when licences.reclaimable then 'yes' else 'no' end as "Can be freed",
    licences.reason as "Why",
    licences.source as "Source",
    licences.account_id as "Account id"
from reports.licences as licences
left join reports.population as account
    on account.source = licences.source and account.account_id = licences.account_id
