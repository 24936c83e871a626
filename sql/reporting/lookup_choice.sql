-- Which accounts can be looked up in the HTML file, and in which order are they listed?
-- $rows: the most accounts
-- Those with findings come first, the most severe ones before the others, then privileged accounts.
select
    account.source, account.account_id, account.person_id, account.role_id,
    count(*) over (partition by account.person_id) as person_accounts,
    row_number() over (
        order by
            severities.position nulls last, account.privileged desc, account.risk_score desc,
            lower(account.display_name), account.source, account.account_id
    ) - 1 as place,
    count(*) over () as total
from reports.population as account
left join reference.severities as severities on severities.severity = account.top_severity
qualify place < $rows
