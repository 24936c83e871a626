/*
summary = "Every entitlement that a file's grants name is in the file's entitlements."
reads   = ["meta.sources", "raw.file_entitlements", "raw.file_grants"]
*/
with

entitlements as (
    select distinct source, payload ->> '$.entitlement_id' as entitlement_id
    from raw.file_entitlements
    where snapshot_id = $snapshot_id and is_accepted
),

grants as (
    select source, payload ->> '$.entitlement_id' as entitlement_id
    from raw.file_grants
    where snapshot_id = $snapshot_id and is_accepted
),

counts as (
    select
        grants.source, count(*) as grant_count,
        count(*) filter (where entitlements.entitlement_id is null) as unresolved
    from grants
    left join entitlements
        on entitlements.source = grants.source and entitlements.entitlement_id = grants.entitlement_id
    group by grants.source
)

select
    sources.source,
    coalesce(counts.grant_count, 0)::varchar as expected,
    coalesce(counts.grant_count - counts.unresolved, 0)::varchar as observed,
    -coalesce(counts.unresolved, 0) as difference,
    case when counts.source is null then 'NOT_AVAILABLE' when counts.unresolved = 0 then 'PASS' else 'FAIL' end as result,
    case
        when counts.source is null then 'The files list no grant.'
        when counts.unresolved = 0 then counted(counts.grant_count, 'grant') || ' checked: every entitlement exists.'
        else counted(counts.unresolved, 'grant')
            || ' of an entitlement that the entitlements do not list; see the findings.'
    end as explanation
from meta.sources as sources
left join counts on counts.source = sources.source
where sources.snapshot_id = $snapshot_id and sources.kind = 'files'
