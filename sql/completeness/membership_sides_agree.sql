/*
summary = "User records and group records list the same memberships, except in built-in groups."
reads   = ["meta.sources", "landed.users", "landed.groups", "reference.builtin_groups"]
*/
with

groups as (
    select source, group_id, member_ids
    from landed.groups
    where coalesce(lower(group_name), '') not in (select lower(group_name) from reference.builtin_groups)
),

-- Without the member lists, because the join below would repeat a group's whole list for each of its members.
group_keys as (
    select source, group_id from groups
),

group_memberships as (
    select source, group_id, unnest(member_ids) as account_id from groups
),

all_user_memberships as (
    select source, account_id, unnest(group_ids) as group_id from landed.users
),

-- Only memberships in groups that were read can be compared; the others are dangling references.
user_memberships as (
    select listed.source, listed.group_id, listed.account_id
    from all_user_memberships as listed
    semi join group_keys on group_keys.source = listed.source and group_keys.group_id = listed.group_id
),

-- One row per membership. Grouping both sides together takes half the time of joining their distinct rows.
memberships as (
    select source, bool_or(side = 'user') as is_in_user, bool_or(side = 'group') as is_in_group
    from (
        select source, group_id, account_id, 'user' as side from user_memberships
        union all
        select source, group_id, account_id, 'group' from group_memberships
    ) as listed
    where account_id is not null
    group by source, group_id, account_id
),

counts as (
    select
        source, count(*) filter (where is_in_user) as user_count, count(*) filter (where is_in_group) as group_count,
        count(*) filter (where is_in_user <> is_in_group) as differing,
        count(*) filter (where is_in_user and not is_in_group) as only_in_user
    from memberships
    group by source
),

sources_with_members as (
    select source, bool_or(member_ids is not null) as has_members from groups group by source
)

select
    sources.source,
    coalesce(counts.user_count, 0)::varchar as expected,
    coalesce(counts.group_count, 0)::varchar as observed,
    coalesce(counts.differing, 0) as difference,
    case when coalesce(listing.has_members, false) = false then 'NOT_AVAILABLE' when coalesce(counts.differing, 0) = 0 then 'PASS' else 'FAIL' end
        as result,
    case
        when coalesce(listing.has_members, false) = false then 'The source does not list the members of its groups.'
        when coalesce(counts.differing, 0) = 0
            then 'User and group records list the same ' || counted(coalesce(counts.user_count, 0), 'membership') || '.'
        else counted(counts.differing, 'membership') || ' listed on one side only (' || counts.only_in_user || ' in user records, '
            || (counts.differing - counts.only_in_user) || ' in group records); the report uses both sides.'
    end as explanation
from meta.sources as sources
left join counts on counts.source = sources.source
left join sources_with_members as listing on listing.source = sources.source
where sources.snapshot_id = $snapshot_id and sources.kind <> 'files'
