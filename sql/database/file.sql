-- How much of the file is free space that is used again, and how large is a block of it?
select block_size * free_blocks as free_bytes, block_size as block_bytes
from pragma_database_size()
where database_name = current_database()
