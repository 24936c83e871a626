-- Which sources does an extract have, and why is one of them not proven complete?
-- $snapshot_id: the extract
with

reasons as (
    select source, string_agg(distinct reason, '; ' order by reason) as reason
    from meta.incomplete_sources
    where snapshot_id = $snapshot_id
    group by source
)

select sources.source, sources.kind in ('sisense', 'files') as has_events, reasons.reason
from meta.sources as sources
left join reasons on reasons.source = sources.source
where sources.snapshot_id = $snapshot_id
order by sources.source
