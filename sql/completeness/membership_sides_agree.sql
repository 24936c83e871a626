/*
summary = "User records and group records list the same memberships, except in built-in groups."
reads   = [
    "meta.sources", "landed.users", "landed.accounts", "landed.groups", "raw.groups", "reference.builtin_groups",
]
*/
with

groups as (
    select source, group_id, has_id, page, ordinal, member_count, members_md5
    from landed.groups
    where is_first and coalesce(lower(group_name), '') not in (select lower(group_name) from reference.builtin_groups)
),

sources_with_members as (
    select source, bool_or(member_count is not null) as has_members from groups group by source
),

-- First, the members of each group are compared as a number of ids and the exclusive or of their MD5 hashes. Two sets
-- that differ look the same in one of 2^128 cases. An id that came twice would cancel itself out, so the groups of such
-- accounts are always compared in full, and so are those of accounts whose id is not text or a number.
irregular_accounts as (
    select source, account_id from landed.accounts where record_count > 1 or usable_id(account_id) is null
),

user_hashes as (
    select
        users.source, users.group_ids, md5_number(users.account_id) as account_md5,
        irregular.account_id is not null or list_unique(users.group_ids) < len(users.group_ids) as is_irregular
    from landed.users as users
    left join irregular_accounts as irregular
        on irregular.source = users.source and irregular.account_id = users.account_id
    where users.account_id is not null
),

listed_hashes as (
    select source, unnest(group_ids) as group_id, account_md5, is_irregular from user_hashes
),

user_sides as (
    select
        source, group_id, count(*) as user_count, bit_xor(account_md5) as users_md5, bool_or(is_irregular) as is_irregular
    from listed_hashes
    group by source, group_id
),

compared_groups as (
    select
        groups.source, groups.group_id, groups.has_id, groups.page, groups.ordinal, coalesce(users.user_count, 0) as user_count,
        coalesce(users.user_count, 0) = coalesce(groups.member_count, 0)
            and users.users_md5 is not distinct from groups.members_md5
            and not coalesce(users.is_irregular, false) as is_equal
    from groups
    left join user_sides as users on users.source = groups.source and users.group_id = groups.group_id and groups.has_id
),

-- Then the groups that differ, or may, are compared id by id.
unclear_groups as (
    select source, group_id, has_id, page, ordinal from compared_groups where not is_equal
),

unclear_records as (
    select
        unclear.source, unclear.group_id, stored.payload,
        json_transform(stored.payload, '{"users": [{"_id": "VARCHAR"}]}').users as members
    from raw.groups as stored
    join unclear_groups as unclear
        on unclear.source = stored.source and unclear.page = stored.page and unclear.ordinal = stored.ordinal
    where stored.snapshot_id = $snapshot_id and stored.is_accepted
),

group_memberships as (
    select
        source, group_id,
        unnest(case
            when len(list_filter(members, lambda x: x._id is null)) > 0 then list_transform(
                json_transform(payload, '{"users": ["JSON"]}').users,
                lambda x: usable_id(coalesce(x ->> '$._id', x ->> '$'))
            )
            else list_transform(members, lambda x: usable_id(x._id))
        end) as account_id
    from unclear_records
),

-- Only memberships in groups that were read can be compared; the others are dangling references.
user_memberships as (
    select listed.source, listed.group_id, listed.account_id
    from (select source, account_id, unnest(group_ids) as group_id from landed.users) as listed
    semi join unclear_groups as unclear
        on unclear.source = listed.source and unclear.group_id = listed.group_id and unclear.has_id
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

all_counts as (
    select source, user_count, user_count as group_count, 0 as differing, 0 as only_in_user
    from compared_groups
    where is_equal
    union all
    select
        source, is_in_user::bigint, is_in_group::bigint, (is_in_user <> is_in_group)::bigint,
        (is_in_user and not is_in_group)::bigint
    from memberships
),

counts as (
    select
        source, sum(user_count)::bigint as user_count, sum(group_count)::bigint as group_count,
        sum(differing)::bigint as differing, sum(only_in_user)::bigint as only_in_user
    from all_counts
    group by source
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
