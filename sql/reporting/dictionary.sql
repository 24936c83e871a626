-- Every column of the tables that the files carry, with its type and description
select table_name, column_name, lower(data_type) as data_type, coalesce(comment, '') as description
from duckdb_columns()
where database_name = current_database() and schema_name = 'reports'
order by table_name, column_index
