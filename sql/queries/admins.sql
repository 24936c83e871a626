-- Which accounts are privileged, and since when without a break? (empty: first in this snapshot)
select source, label, email, role_display_name, status, last_seen_at, privileged_since
from reports.privileged_accounts
order by role_rank desc nulls last, source, label, account_id
