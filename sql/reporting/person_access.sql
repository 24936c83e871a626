-- The accounts of each person, with the number of all rows in every row
-- $rows: the most rows
select *, count(*) over () as total
from reports.person_access
order by lower(person), person_id, source, account_id
limit $rows
