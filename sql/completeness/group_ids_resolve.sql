/*
summary = "Every group id in a user's record belongs to a group."
reads   = ["meta.sources", "landed.users", "landed.groups"]
*/
with

listed_memberships as (
    select source, unnest(group_ids) as group_id from landed.users
),

counts as (
    select listed.source, count(*) as listed_count, count(groups.group_id) as found_count
    from listed_memberships as listed
    left join landed.groups as groups
        on groups.source = listed.source and groups.group_id = listed.group_id and groups.is_first and groups.has_id
    where groups.group_id is not null or usable_id(listed.group_id) is not null
    group by listed.source
)

select
    sources.source,
    coalesce(counts.listed_count, 0)::varchar as expected,
    coalesce(counts.found_count, 0)::varchar as observed,
    coalesce(counts.found_count - counts.listed_count, 0) as difference,
    case when counts.found_count < counts.listed_count then 'FAIL' when counts.source is null then 'NOT_AVAILABLE' else 'PASS' end
        as result,
    case
        when counts.source is null then 'No user record lists a group.'
        when counts.found_count < counts.listed_count
            then counted(counts.listed_count - counts.found_count, 'membership')
                || ' in a group that does not exist; see the findings.'
        else counted(counts.listed_count, 'membership') || ' checked: every group exists.'
    end as explanation
from meta.sources as sources
left join counts on counts.source = sources.source
where sources.snapshot_id = $snapshot_id and sources.kind <> 'files'
