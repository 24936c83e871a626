-- Which verdict does the current build give each change?
select change_id, verdict as verified_state
from reports.remediation
order by change_id
