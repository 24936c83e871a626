-- Which columns do the tables of the files have, with types and descriptions?
select table_name, column_name, lower(data_type) as data_type, coalesce(comment, '') as description
from duckdb_columns()
where database_name = current_database() and schema_name = 'reports'
order by table_name, column_index
