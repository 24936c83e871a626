-- Which pages does a spool hold, and which of them belong to the sweeps that count?
-- $accepted: the sweep that counts of each resource, as JSON: source, resource, sweep
-- $overlaps: the pages whose first record is the last of the page before, as JSON: source, resource, sweep, offset
with

-- "journal" is given by the program: one row for each request, as the spool's pages.jsonl has it.
accepted_sweeps as (
    select unnest(from_json($accepted, '[{"source": "VARCHAR", "resource": "VARCHAR", "sweep": "INTEGER"}]'), recursive := true)
),

overlapping_pages as (
    select unnest(
        from_json($overlaps, '[{"source": "VARCHAR", "resource": "VARCHAR", "sweep": "INTEGER", "offset": "BIGINT"}]'),
        recursive := true
    )
)

select
    journal.source, journal.resource, journal.sweep, journal.page, journal."offset", journal.url, journal.status,
    journal.items - (overlapping_pages."offset" is not null)::bigint as items,
    journal.bytes, journal.sha256, journal.redacted_sha256,
    journal.started_at at time zone 'UTC' as started_at,
    journal.fetched_at at time zone 'UTC' as fetched_at,
    journal.elapsed_ms, journal.attempts,
    accepted_sweeps.sweep is not null and journal.file is not null as is_accepted,
    journal.file,
    overlapping_pages."offset" is not null as is_overlapping
from journal
left join accepted_sweeps
    on accepted_sweeps.source = journal.source and accepted_sweeps.resource = journal.resource
    and accepted_sweeps.sweep = journal.sweep
left join overlapping_pages
    on overlapping_pages.source = journal.source and overlapping_pages.resource = journal.resource
    and overlapping_pages.sweep = journal.sweep and overlapping_pages."offset" = journal."offset" and journal.items > 0
