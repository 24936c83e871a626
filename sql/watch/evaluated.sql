-- With which snapshot are a source's findings about people compared? No row: they are not compared now.
-- $source: the source's name in the configuration
-- $previous_snapshot_id: the snapshot that its accounts are compared with
-- $snapshot_id: the snapshot to compare
select snapshot_id
from meta.last_evaluated
where
    source = $source and compared_snapshot_id = $previous_snapshot_id
    and not exists (
        select 1 from meta.incomplete_sources as incomplete
        join meta.sources as sources
            on sources.snapshot_id = incomplete.snapshot_id and sources.source = incomplete.source
        where incomplete.snapshot_id = $snapshot_id and sources.kind in ('scim', 'okta', 'entra')
    )
