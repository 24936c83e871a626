-- Which columns of a copy with pseudonyms have text, and what becomes of each?
select
    columns.schema_name, columns.table_name, columns.column_name, columns.data_type,
    case
        when columns.column_name in ('finding_id', 'item_id') then 'hash'
        -- text that people wrote may name anyone
        when columns.column_name in ('comment', 'purpose', 'exclusion_reason') then 'leave_out'
        when
            columns.column_name = 'reason'
            and columns.table_name in ('exceptions', 'exclusions', 'policy_subjects', 'review_decisions', 'remediation')
            then 'leave_out'
        -- columns about people alone: whatever stands there, also a name that is a usual word
        when columns.table_name in ('population', 'accounts', 'people', 'roster', 'provider_users') then case
            when columns.column_name in ('user_name', 'user_name_key') then 'login'
            when columns.column_name in ('email', 'email_key', 'manager_email', 'manager_key') then 'address'
            when columns.column_name in ('display_name', 'first_name', 'last_name', 'name_key') then 'name'
            else 'replace'
        end
        else 'replace'
    end as treatment
from duckdb_columns() as columns
join duckdb_tables() as tables
    on tables.schema_name = columns.schema_name and tables.table_name = columns.table_name
    and tables.database_name = columns.database_name
where
    columns.database_name = current_database() and not columns.internal
    and (columns.schema_name in ('reports', 'graph', 'findings', 'meta') or columns.schema_name = 'policy')
    and columns.column_name not in ('snapshot_id', 'build_id', 'sha256', 'data_sha256', 'manifest_sha256', 'sql_sha256')
    and (
        columns.data_type in ('VARCHAR', 'JSON', 'VARCHAR[]')
        or columns.data_type like 'MAP%' or columns.data_type like 'STRUCT%'
    )
order by all
