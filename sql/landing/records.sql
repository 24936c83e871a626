-- Which records do the pages of one resource hold? A record that two pages share is kept once, from the earlier one.
-- $snapshot_id: the extract
-- $folder: the spool's folder, ending with '/'
with

-- "page_files" is given by the program: one row for each file, with its list of records. "pages" is the result of pages.sql.
listed_records as (
    select filename, unnest(list) as payload, generate_subscripts(list, 1) as ordinal from page_files
)

select
    $snapshot_id as snapshot_id, pages.source, pages.sweep, pages.page, listed_records.ordinal, pages.is_accepted,
    pages.fetched_at, coalesce(listed_records.payload, 'null'::json) as payload
from listed_records
join temp.landing_pages as pages on listed_records.filename = $folder || pages.file
where listed_records.ordinal > pages.is_overlapping::bigint
