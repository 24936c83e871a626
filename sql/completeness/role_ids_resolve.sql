/*
summary = "Every role id in a user's record belongs to a role."
reads   = ["meta.sources", "landed.users", "landed.roles"]
*/
with

counts as (
    select users.source, count(*) as user_count, count(roles.role_id) as found_count
    from landed.users as users
    left join landed.roles as roles on roles.source = users.source and roles.role_id = users.role_id
    where users.role_id <> ''
    group by users.source
)

select
    sources.source,
    coalesce(counts.user_count, 0)::varchar as expected,
    coalesce(counts.found_count, 0)::varchar as observed,
    coalesce(counts.found_count - counts.user_count, 0) as difference,
    case when counts.found_count < counts.user_count then 'FAIL' when counts.source is null then 'NOT_AVAILABLE' else 'PASS' end
        as result,
    case
        when counts.source is null then 'No user record has a role.'
        when counts.found_count < counts.user_count
            then counted(counts.user_count - counts.found_count, 'user')
                || ' with a role that does not exist; see the findings.'
        else counted(counts.user_count, 'user') || ' checked: every role exists.'
    end as explanation
from meta.sources as sources
left join counts on counts.source = sources.source
where sources.snapshot_id = $snapshot_id and sources.kind <> 'files'
