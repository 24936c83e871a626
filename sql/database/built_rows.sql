-- Do the tables of the current build have as many rows as the build made?
-- $tables: the names of all tables, as reports.population
-- $counts: the number of rows of each
with

stored_tables as (
    select unnest($tables) as table_name, unnest($counts) as records
)

select
    made.table_name as place,
    case
        when stored.table_name is null then 'the current build made it, and it is missing'
        else counted(stored.records, 'row') || '; the current build made ' || grouped(made.row_count)
    end as problem
from meta.made_from as made
left join stored_tables as stored on stored.table_name = made.table_name
where made.snapshot_id is null and (stored.table_name is null or stored.records <> made.row_count)
order by made.table_name
