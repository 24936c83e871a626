/*
title       = "Too few administrators"
summary     = "A source with fewer active human administrators than the minimum."
severity    = "low"
population  = "select source from graph.sources"
reads       = ["graph.accounts", "graph.groups", "graph.sources", "reference.rank_levels"]
grain       = ["source"]
remediation = "Appoint another administrator, so that one absence does not leave the source without any."

[params]
min_admins = 2

[controls]
iso27001 = ["A.8.2"]
*/
with

-- Whether an entitlement of a file makes an administrator is known only for those that roles.csv ranks.
sources_with_ranks as (
    select distinct source from graph.groups where entitlement_rank is not null
),

admin_counts as (
    select
        source.source, bool_or(source.is_from_files and ranked.source is null) as has_no_ranks,
        count(account.account_id) filter (
            where account.role_rank >= levels.minimum_rank and account.status = 'active' and account.account_type = 'human'
        ) as admin_count,
        count(account.account_id) as possible_admin_count
    from graph.sources as source
    join reference.rank_levels as levels on levels.level = 'admin'
    left join sources_with_ranks as ranked on ranked.source = source.source
    -- including accounts whose status, type or rank is not known
    left join graph.accounts as account
        on account.source = source.source and coalesce(account.role_rank, levels.minimum_rank) >= levels.minimum_rank
        and account.status in ('active', 'unknown') and account.account_type in ('human', 'unknown')
    group by source.source
)

select
    source,
    case when has_no_ranks then 'unknown' when possible_admin_count < $min_admins then 'failed' else 'unknown' end as verdict,
    'The source has ' || counted(admin_count, 'active human administrator') || '.' as detail,
    counted(admin_count, 'administrator') as observed_value,
    'at least ' || $min_admins as threshold
from admin_counts
where admin_count < $min_admins

/* example
name = "one fails if two are needed, two pass; an account that may count leaves it unknown"
given."graph.sources" = [ { source = "one" }, { source = "two" }, { source = "perhaps" }, { source = "none" }, { source = "unranked" } ]
given."graph.accounts" = [
  { source = "one", account_id = "1", status = "active", account_type = "human", role_rank = 90 },
  { source = "one", account_id = "2", status = "active", account_type = "service", role_rank = 90 },
  { source = "one", account_id = "3", status = "inactive", account_type = "human", role_rank = 90 },
  { source = "one", account_id = "4", status = "active", account_type = "human", role_rank = 89 },
  { source = "two", account_id = "1", status = "active", account_type = "human", role_rank = 90 },
  { source = "two", account_id = "2", status = "active", account_type = "human", role_rank = 100 },
  { source = "perhaps", account_id = "1", status = "active", account_type = "human", role_rank = 90 },
  { source = "perhaps", account_id = "2", status = "unknown", account_type = "human", role_rank = 90 },
  { source = "unranked", account_id = "1", status = "active", account_type = "human", role_rank = 90 },
  { source = "unranked", account_id = "2", status = "active", account_type = "human" },
]
expect = [
  { source = "one", verdict = "failed" }, { source = "none", verdict = "failed" }, { source = "perhaps", verdict = "unknown" },
  { source = "unranked", verdict = "unknown" },
]
population = 5
*/
/* example
name = "a file application fails only if roles.csv ranks its entitlements"
given."graph.sources" = [ { source = "ranked", is_from_files = true }, { source = "unranked", is_from_files = true } ]
given."graph.groups" = [ { source = "ranked", group_id = "r", entitlement_rank = 20 }, { source = "unranked", group_id = "r" } ]
given."graph.accounts" = [
  { source = "ranked", account_id = "1", status = "active", account_type = "human", role_rank = 20 },
  { source = "unranked", account_id = "1", status = "active", account_type = "human" },
]
expect = [ { source = "ranked", verdict = "failed" }, { source = "unranked", verdict = "unknown" } ]
population = 2
*/
