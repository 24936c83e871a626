/*
title       = "Privileged group that grew"
summary     = "A group that carries a privileged role, or is listed as privileged, whose members grew since the baseline by more than the share and at least the number."
severity    = "medium"
population  = """
select source, group_id from graph.groups where is_listed_privileged or carries_privileged is distinct from false
"""
reads       = ["graph.groups", "baseline.accounts", "baseline.groups"]
grain       = ["source", "group_id"]
needs       = "baseline"
remediation = "Compare the new members with the requests that were approved."

[params]
growth_share = 0.2
growth_min   = 2

[controls]
soc2 = ["CC6.3"]
nist = ["AC-6(7)"]
*/
with

-- A source that the baseline does not know cannot be compared; one that had no groups then can.
compared as (
    select distinct source from baseline.accounts
),

judged as (
    select
        now.source, now.group_id, coalesce(now.group_name, now.group_id) as group_name, now.member_count,
        coalesce(earlier.member_count, 0) as earlier_count,
        case
            when compared.source is null then 'unknown'
            when now.member_count - coalesce(earlier.member_count, 0) < $growth_min
                or now.member_count - coalesce(earlier.member_count, 0)
                    <= $growth_share * coalesce(earlier.member_count, 0) then null
            when now.is_listed_privileged or now.carries_privileged then 'failed'
            else 'unknown'
        end as verdict
    from graph.groups as now
    left join compared on compared.source = now.source
    left join baseline.groups as earlier on earlier.source = now.source and earlier.group_id = now.group_id
    where now.is_listed_privileged or now.carries_privileged is distinct from false
)

select
    source,
    group_id,
    verdict,
    group_name || ' had ' || counted(earlier_count, 'member') || ' and has ' || member_count || '.' as detail,
    counted(member_count - earlier_count, 'more member') as observed_value,
    'fewer than ' || $growth_min || ' more, or at most ' || round(100 * $growth_share, 1) || ' %' as threshold
from judged
where verdict is not null

/* example
name = "both limits must be passed; at the share passes; a new group grew from nothing; a lost role is unknown"
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
name = "without a baseline nothing is judged"
given."graph.groups" = [ { source = "s", group_id = "g", member_count = 9, carries_privileged = true, is_listed_privileged = false } ]
expect = [ { group_id = "g", verdict = "unknown" } ]
population = 1
*/
