-- Which blocks of the file hold the rows of a table? Small tables share blocks, and long texts have blocks of their own.
-- $table: the table, as meta.pages
select distinct unnest(list_prepend(block_id, additional_block_ids)) as block
from pragma_storage_info($table)
where block_id >= 0
order by block
