-- How many blocks of the file hold the rows of a table? Small tables share blocks, which count for each of them.
-- $table: the table, as meta.pages
select count(distinct block_id) as blocks from pragma_storage_info($table) where block_id >= 0
