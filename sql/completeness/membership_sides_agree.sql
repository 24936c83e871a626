/*
summary = "The users' records and the groups' records name the same memberships, built-in groups aside."
reads   = ["meta.sources", "landed.users", "landed.groups", "reference.builtin_groups"]
*/
with

groups as (
    select source, group_id, member_ids
    from landed.groups
    where coalesce(lower(group_name), '') not in (select lower(group_name) from reference.builtin_groups)
),

-- Without the lists: a join would carry a group's whole list of members along with every one of them.
group_keys as (
    select source, group_id from groups
),

group_side as (
    select source, group_id, unnest(member_ids) as account_id from groups
),

user_elements as (
    select source, account_id, unnest(group_ids) as group_id from landed.users
),

-- Only groups that were read can agree or not; the others are dangling references.
user_side as (
    select user_elements.source, user_elements.group_id, user_elements.account_id
    from user_elements
    semi join group_keys on group_keys.source = user_elements.source and group_keys.group_id = user_elements.group_id
),

-- Who names a membership, however often: one grouping of both sides takes half the time of a join of their distinct rows.
compared as (
    select source, bool_or(side = 'user') as is_in_user, bool_or(side = 'group') as is_in_group
    from (
        select source, group_id, account_id, 'user' as side from user_side
        union all
        select source, group_id, account_id, 'group' from group_side
    ) as named
    where account_id is not null
    group by source, group_id, account_id
),

counts as (
    select
        source, count(*) filter (where is_in_user) as user_count, count(*) filter (where is_in_group) as group_count,
        count(*) filter (where is_in_user <> is_in_group) as differing
    from compared
    group by source
),

told as (
    select source, bool_or(member_ids is not null) as has_members from groups group by source
)

select
    sources.source,
    coalesce(counts.user_count, 0)::varchar as expected,
    coalesce(counts.group_count, 0)::varchar as observed,
    coalesce(counts.differing, 0) as difference,
    case when coalesce(told.has_members, false) = false then 'NOT_AVAILABLE' when coalesce(counts.differing, 0) = 0 then 'PASS' else 'FAIL' end
        as result,
    case
        when coalesce(told.has_members, false) = false then 'The source does not list the members of its groups.'
        when coalesce(counts.differing, 0) = 0
            then 'Both sides name the same ' || coalesce(counts.user_count, 0) || ' memberships.'
        else counts.differing || ' memberships are named by one side alone; both are used.'
    end as explanation
from meta.sources as sources
left join counts on counts.source = sources.source
left join told on told.source = sources.source
where sources.snapshot_id = $snapshot_id
