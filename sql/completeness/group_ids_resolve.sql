/*
summary = "Every group id that a user names is a group."
reads   = ["meta.sources", "landed.users", "landed.groups"]
*/
with

named as (
    select source, unnest(group_ids) as group_id from landed.users
),

counts as (
    select named.source, count(*) as named_count, count(groups.group_id) as found_count
    from named
    left join landed.groups as groups on groups.source = named.source and groups.group_id = named.group_id
    where named.group_id <> ''
    group by named.source
)

select
    sources.source,
    coalesce(counts.named_count, 0)::varchar as expected,
    coalesce(counts.found_count, 0)::varchar as observed,
    coalesce(counts.found_count - counts.named_count, 0) as difference,
    case when counts.found_count < counts.named_count then 'FAIL' when counts.source is null then 'NOT_AVAILABLE' else 'PASS' end
        as result,
    case
        when counts.source is null then 'No user names a group.'
        when counts.found_count < counts.named_count
            then (counts.named_count - counts.found_count) || ' memberships name a group that does not exist; the findings list them.'
        else 'All ' || counts.named_count || ' group ids are groups.'
    end as explanation
from meta.sources as sources
left join counts on counts.source = sources.source
where sources.snapshot_id = $snapshot_id
