-- What does the current build show of every change that was made?
select change_id, verdict as verified_state
from reports.remediation
order by change_id
