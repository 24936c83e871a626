-- Which accounts does each person have? Every row carries the number of all rows.
-- $rows: maximum number of rows
select *, count(*) over () as total
from reports.person_access
order by lower(person), person_id, source, account_id
limit $rows
