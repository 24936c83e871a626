-- Who are the people of the roster, each by the current record, numbered in the order of the file?
select
    person_id, email, aliases, display_name, manager_email, department, title, employment_status, start_date, end_date,
    person_type, row_number() over (order by line) as "row"
from temp.roster_people
where is_current
