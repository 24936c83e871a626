/*
summary = "Every user, role and group record has a readable id."
reads   = [
    "landed.users", "landed.unidentified", "raw.roles", "raw.groups", "raw.directory_groups", "raw.directory_members",
    "raw.directory_assignments", "meta.sources",
]
gate    = true
*/
with

record_counts as (
    select source, count(*) as row_count from landed.users group by source
    union all
    select source, count(*) from raw.roles where snapshot_id = $snapshot_id and is_accepted group by source
    union all
    select source, count(*) from raw.groups where snapshot_id = $snapshot_id and is_accepted group by source
    union all
    select source, count(*) from raw.directory_groups where snapshot_id = $snapshot_id and is_accepted group by source
    union all
    select source, count(*) from raw.directory_members where snapshot_id = $snapshot_id and is_accepted group by source
    union all
    select source, count(*) from raw.directory_assignments
    where snapshot_id = $snapshot_id and is_accepted
    group by source
),

records_without_id as (
    select source, 'users' as resource, page, ordinal from landed.users where not has_id
    union all
    select source, resource, page, ordinal from landed.unidentified
),

numbered_places as (
    select
        source, 'record ' || ordinal || ' on page ' || page || ' of ' || resource as place,
        row_number() over (partition by source order by resource desc, page, ordinal) as number
    from records_without_id
),

missing_by_source as (
    select
        source, count(*) as without_id,
        array_to_string(list(place order by number) filter (where number <= 5), ', ')
            || case when count(*) > 5 then ' and ' || (count(*) - 5) || ' more' else '' end as places
    from numbered_places
    group by source
),

source_counts as (
    select counts.source, sum(counts.row_count)::bigint as row_count, any_value(missing.without_id) as without_id,
        any_value(missing.places) as places
    from record_counts as counts
    left join missing_by_source as missing on missing.source = counts.source
    group by counts.source
)

select
    sources.source,
    coalesce(records.row_count, 0)::varchar as expected,
    (coalesce(records.row_count, 0) - coalesce(records.without_id, 0))::varchar as observed,
    -coalesce(records.without_id, 0) as difference,
    case when coalesce(records.without_id, 0) = 0 then 'PASS' else 'FAIL' end as result,
    case
        when coalesce(records.without_id, 0) = 0 then 'Every record has a readable id.'
        else 'No readable id in ' || records.places || '.'
    end as explanation
from meta.sources as sources
left join source_counts as records on records.source = sources.source
where sources.snapshot_id = $snapshot_id
