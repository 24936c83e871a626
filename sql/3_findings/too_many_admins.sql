/*
title       = "Too many administrators"
summary     = "A source with more active human administrators than the limit, or than the share of its active accounts, whichever is larger."
severity    = "medium"
population  = "select source from graph.sources"
reads       = ["graph.accounts", "graph.sources", "reference.rank_levels"]
grain       = ["source"]
remediation = "Review the administrators by name, and lower the role of those who do not administer."

[params]
max_admins = 4
max_share  = 0.02

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.8.2"]
nist     = ["AC-6(5)"]
cis      = ["5.4"]
*/
with

admin_counts as (
    select
        source,
        count(*) filter (where status = 'active') as active_count,
        count(*) filter (where status = 'active' and account_type = 'human' and role_rank >= levels.minimum_rank) as admin_count,
        -- Including accounts whose status, type or rank is not known.
        count(*) filter (
            where status in ('active', 'unknown') and account_type in ('human', 'unknown')
                and (role_rank >= levels.minimum_rank or role_rank is null)
        ) as possible_admin_count
    from graph.accounts
    join reference.rank_levels as levels on levels.level = 'admin'
    group by source
),

limits as (
    select *, greatest($max_admins, $max_share * active_count) as admin_limit from admin_counts
),

verdicts as (
    select
        *,
        case when admin_count > admin_limit then 'failed' when possible_admin_count > admin_limit then 'unknown' end
            as verdict
    from limits
)

select
    source,
    verdict,
    case when admin_count >= 2 * admin_limit then 'high' else 'medium' end as severity,
    'The source has ' || admin_count || ' active human administrators among ' || active_count || ' active accounts.' as detail,
    admin_count || ' administrators' as observed_value,
    'at most ' || cast(floor(admin_limit) as bigint) as threshold
from verdicts
where verdict is not null

/* example
name = "five fail if four are allowed; service and inactive accounts do not count"
given."graph.sources" = [ { source = "s" }, { source = "small" } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", account_type = "human", role_rank = 90 },
  { source = "s", account_id = "2", status = "active", account_type = "human", role_rank = 90 },
  { source = "s", account_id = "3", status = "active", account_type = "human", role_rank = 100 },
  { source = "s", account_id = "4", status = "active", account_type = "human", role_rank = 90 },
  { source = "s", account_id = "5", status = "active", account_type = "human", role_rank = 90 },
  { source = "small", account_id = "1", status = "active", account_type = "human", role_rank = 90 },
  { source = "small", account_id = "2", status = "active", account_type = "human", role_rank = 90 },
  { source = "small", account_id = "3", status = "active", account_type = "human", role_rank = 90 },
  { source = "small", account_id = "4", status = "active", account_type = "human", role_rank = 90 },
  { source = "small", account_id = "5", status = "active", account_type = "service", role_rank = 90 },
  { source = "small", account_id = "6", status = "inactive", account_type = "human", role_rank = 90 },
  { source = "small", account_id = "7", status = "active", account_type = "human", role_rank = 80 },
]
expect = [ { source = "s", verdict = "failed", severity = "medium" } ]
population = 2
*/
/* example
name = "twice the limit is high; an account that may count leaves it unknown"
given."graph.sources" = [ { source = "s" }, { source = "t" } ]
params = { max_admins = 1 }
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", account_type = "human", role_rank = 90 },
  { source = "s", account_id = "2", status = "active", account_type = "human", role_rank = 90 },
  { source = "t", account_id = "1", status = "active", account_type = "human", role_rank = 90 },
  { source = "t", account_id = "2", status = "unknown", account_type = "human", role_rank = 90 },
]
expect = [ { source = "s", verdict = "failed", severity = "high" }, { source = "t", verdict = "unknown" } ]
population = 2
*/
