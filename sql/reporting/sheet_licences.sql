-- Which seats does the workbook list, those that can be reclaimed first?
select
    row_number() over (
        order by
            licences.reclaimable desc,
            lower(coalesce(account.display_name, licences.email, account.user_name, licences.account_id)),
            licences.source, licences.account_id
    ) as line,
    coalesce(account.display_name, licences.email, account.user_name, licences.account_id) as "Name",
    account.department as "Department",
    licences.seat_class as "Seat",
    licences.status as "Status",
    licences.days_since_seen as "Last seen, days ago",
    case when licences.reclaimable then 'yes' else 'no' end as "Reclaimable",
    licences.reason as "Why",
    licences.email as "E-mail",
    licences.source as "Source",
    licences.account_id as "Account id"
from reports.licences as licences
left join reports.population as account
    on account.source = licences.source and account.account_id = licences.account_id
