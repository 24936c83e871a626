-- Which tables does the database have, and which of them name a snapshot or a build in each row?
select
    tables.schema_name || '.' || tables.table_name as table_name, tables.schema_name, tables.table_name as short_name,
    count(*) filter (columns.column_name = 'snapshot_id') > 0 as has_snapshot_id,
    count(*) filter (columns.column_name = 'build_id') > 0 as has_build_id
from duckdb_tables() as tables
join duckdb_columns() as columns on columns.table_oid = tables.table_oid
    and columns.database_name = tables.database_name
where tables.database_name = current_database() and not tables.temporary
group by tables.schema_name, tables.table_name
order by tables.schema_name, tables.table_name
