-- Which rows of a table name a build that the database does not know?
-- $table: the table, as history.accounts
select $table as place, counted(count(*), 'row') || ' of the unknown build ' || named.build_id as problem
from query_table($table) as named
anti join meta.builds as builds on builds.build_id = named.build_id
where named.build_id is not null
group by named.build_id
order by named.build_id
