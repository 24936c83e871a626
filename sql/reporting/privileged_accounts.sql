-- Which accounts are privileged, those with the highest roles first?
select *
from reports.privileged_accounts
order by role_rank desc nulls last, role_display_name, lower(label), source, account_id
