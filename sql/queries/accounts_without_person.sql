-- Which accounts have no matching person in the roster, and why?
select source, person_match, account_type, status, privileged, display_name, user_name, email, last_seen_at
from reports.population
where person_id is null
order by privileged desc, source, person_match, display_name, account_id
