/*
summary = "Every role id that a user names is a role."
reads   = ["meta.sources", "landed.users", "landed.roles"]
*/
with

counts as (
    select named.source, count(*) as named_count, count(roles.role_id) as found_count
    from landed.users as named
    left join landed.roles as roles on roles.source = named.source and roles.role_id = named.role_id
    where named.role_id <> ''
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
        when counts.source is null then 'No user names a role.'
        when counts.found_count < counts.named_count
            then (counts.named_count - counts.found_count) || ' users name a role that does not exist; the findings list them.'
        else 'All ' || counts.named_count || ' role ids are roles.'
    end as explanation
from meta.sources as sources
left join counts on counts.source = sources.source
where sources.snapshot_id = $snapshot_id
