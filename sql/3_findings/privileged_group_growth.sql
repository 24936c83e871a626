/*
title       = "Growing privileged group"
summary     = "A group that carries a privileged role, or is listed as privileged, and has gained members since the baseline beyond the limits."
severity    = "medium"
population  = """
select source, group_id from graph.groups where is_listed_privileged or carries_privileged is distinct from false
"""
reads       = ["graph.accounts", "graph.groups", "graph.baseline_sources", "baseline.accounts", "baseline.groups"]
grain       = ["source", "group_id"]
needs       = "baseline"
remediation = "Compare the new members with the approved requests."

[params]
growth_share = 0.2
growth_min   = 2

[controls]
soc2 = ["CC6.3"]
nist = ["AC-6(7)"]
*/
with

-- A source that the baseline lacks cannot be compared; one without groups in the baseline can.
-- Each account with unreadable groups may be one more member of any group.
hidden_members as (
    select source, count(*) as account_count
    from graph.accounts
    where list_contains(unreadable_fields, 'groups')
    group by source
),

earlier_hidden_members as (
    select source, count(*) as account_count
    from baseline.accounts
    where list_contains(unreadable_fields, 'groups')
    group by source
),

-- If the group's own list is unreadable, the number of members has no upper bound: null.
member_counts as (
    select
        now.source, now.group_id, coalesce(now.group_name, now.group_id) as group_name,
        now.is_listed_privileged or now.carries_privileged as is_privileged, compared_sources.source is not null as is_compared,
        now.member_count, coalesce(earlier.member_count, 0) as earlier_count,
        case when now.has_unreadable_members is distinct from true
            then now.member_count + coalesce(hidden.account_count, 0) end as most_members,
        case when earlier.has_unreadable_members is distinct from true
            then coalesce(earlier.member_count, 0) + coalesce(earlier_hidden.account_count, 0) end as most_earlier
    from graph.groups as now
    left join graph.baseline_sources as compared_sources on compared_sources.source = now.source
    left join baseline.groups as earlier on earlier.source = now.source and earlier.group_id = now.group_id
    left join hidden_members as hidden on hidden.source = now.source
    left join earlier_hidden_members as earlier_hidden on earlier_hidden.source = now.source
    where now.is_listed_privileged or now.carries_privileged is distinct from false
),

verdicts as (
    select
        *,
        case
            when not is_compared then 'unknown'
            when is_privileged and member_count - most_earlier >= $growth_min
                and member_count - most_earlier > $growth_share * most_earlier then 'failed'
            when most_members is null or (
                most_members - earlier_count >= $growth_min
                and most_members - earlier_count > $growth_share * earlier_count
            ) then 'unknown'
        end as verdict
    from member_counts
)

select
    source,
    group_id,
    verdict,
    group_name || ' had ' || counted(earlier_count, 'member') || ' and has ' || member_count || '.' as detail,
    counted(member_count - earlier_count, 'more member') as observed_value,
    'fewer than ' || $growth_min || ' more, or at most ' || round(100 * $growth_share, 1) || ' %' as threshold
from verdicts
where verdict is not null

/* example
name = "both limits must be exceeded; growth at the share passes; a new group grew from zero; a missing role is unknown"
given."graph.baseline_sources" = [ { source = "s" } ]
given."baseline.accounts" = [ { source = "s", account_id = "a" } ]
given."baseline.groups" = [
  { source = "s", group_id = "grew", member_count = 10 }, { source = "s", group_id = "at the share", member_count = 10 },
  { source = "s", group_id = "one more", member_count = 1 }, { source = "s", group_id = "two more", member_count = 9 },
  { source = "s", group_id = "lost role", member_count = 1 },
]
given."graph.groups" = [
  { source = "s", group_id = "grew", member_count = 13, carries_privileged = true, is_listed_privileged = false },
  { source = "s", group_id = "at the share", member_count = 12, carries_privileged = true, is_listed_privileged = false },
  { source = "s", group_id = "one more", member_count = 2, carries_privileged = true, is_listed_privileged = false },
  { source = "s", group_id = "two more", member_count = 11, carries_privileged = false, is_listed_privileged = true },
  { source = "s", group_id = "new", member_count = 2, carries_privileged = true, is_listed_privileged = false },
  { source = "s", group_id = "lost role", member_count = 9, is_listed_privileged = false },
  { source = "s", group_id = "ordinary", member_count = 99, carries_privileged = false, is_listed_privileged = false },
]
expect = [
  { group_id = "grew", verdict = "failed" },
  { group_id = "two more", verdict = "failed" },
  { group_id = "new", verdict = "failed" },
  { group_id = "lost role", verdict = "unknown" },
]
population = 6
*/
/* example
name = "unreadable members may hide growth, now or in the baseline, and leave it unknown; certain growth fails"
given."graph.baseline_sources" = [ { source = "s" }, { source = "t" }, { source = "u" } ]
given."baseline.accounts" = [
  { source = "s", account_id = "a" }, { source = "t", account_id = "a" }, { source = "t", account_id = "b" },
  { source = "u", account_id = "a", unreadable_fields = ["groups"] },
]
given."baseline.groups" = [
  { source = "s", group_id = "hidden now", member_count = 9 },
  { source = "s", group_id = "hidden then", member_count = 1, has_unreadable_members = true },
  { source = "s", group_id = "same", member_count = 9 }, { source = "t", group_id = "two may be more", member_count = 9 },
  { source = "t", group_id = "too large", member_count = 10 }, { source = "t", group_id = "grew", member_count = 1 },
  { source = "u", group_id = "one may have been there", member_count = 1 },
]
given."graph.accounts" = [
  { source = "s", account_id = "a", unreadable_fields = [] }, { source = "t", account_id = "a", unreadable_fields = ["groups"] },
  { source = "t", account_id = "b", unreadable_fields = ["groups"] }, { source = "u", account_id = "a", unreadable_fields = [] },
]
given."graph.groups" = [
  { source = "s", group_id = "hidden now", member_count = 9, carries_privileged = true, is_listed_privileged = false, has_unreadable_members = true },
  { source = "s", group_id = "hidden then", member_count = 9, carries_privileged = true, is_listed_privileged = false, has_unreadable_members = false },
  { source = "s", group_id = "same", member_count = 9, carries_privileged = true, is_listed_privileged = false, has_unreadable_members = false },
  { source = "t", group_id = "two may be more", member_count = 9, carries_privileged = true, is_listed_privileged = false },
  { source = "t", group_id = "too large", member_count = 10, carries_privileged = true, is_listed_privileged = false },
  { source = "t", group_id = "grew", member_count = 3, carries_privileged = true, is_listed_privileged = false },
  { source = "u", group_id = "one may have been there", member_count = 3, carries_privileged = true, is_listed_privileged = false },
]
expect = [
  { source = "s", group_id = "hidden now", verdict = "unknown" },
  { source = "s", group_id = "hidden then", verdict = "unknown" },
  { source = "t", group_id = "two may be more", verdict = "unknown" },
  { source = "t", group_id = "grew", verdict = "failed" },
  { source = "u", group_id = "one may have been there", verdict = "unknown" },
]
population = 7
*/
/* example
name = "without a baseline every group is unknown"
given."graph.groups" = [ { source = "s", group_id = "g", member_count = 9, carries_privileged = true, is_listed_privileged = false } ]
expect = [ { group_id = "g", verdict = "unknown" } ]
population = 1
*/
