/*
summary = "One figure of this snapshot that reports show over time; null if it is not known."
reads   = [
    "reference.snapshot", "reference.rules", "graph.accounts", "findings.register", "reports.unevaluated_rules",
    "reports.review_quality", "reports.resolved_findings",
]
grain   = ["figure"]

[columns]
snapshot_id = "varchar: the snapshot"
as_of       = "timestamp: when the rules were evaluated, UTC"
figure      = "varchar: privileged_accounts (active), stale_accounts (with an open finding of a rule whose risk factor is stale), approved_percent and removed_percent (of the decisions of the campaign signed off last), or median_days_to_fix (of the findings fixed since the last report)"
value       = "double: its value; null if it is not known"
*/
with

stale_rules as (
    select rule_id from reference.rules where risk_factor = 'stale'
),

figures as (
    select 'privileged_accounts' as figure, cast(count(*) filter (where privileged and status = 'active') as double) as value
    from graph.accounts
    union all
    -- Not known if no such rule has a result.
    select
        'stale_accounts',
        case when exists (select 1 from stale_rules where rule_id not in (select rule_id from reports.unevaluated_rules))
            then count(distinct source || chr(31) || account_id) end
    from findings.register
    where status = 'open' and rule_id in (select rule_id from stale_rules)
    union all
    select 'approved_percent', round(100.0 * max(kept) / nullif(max(items - pending), 0), 1)
    from reports.review_quality
    where signed_at is not null
    union all
    select 'removed_percent', round(100.0 * max(removed + reduced) / nullif(max(items - pending), 0), 1)
    from reports.review_quality
    where signed_at is not null
    union all
    select 'median_days_to_fix', cast(median(days_to_fix) as double) from reports.resolved_findings where is_fixed
)

select snapshot.snapshot_id, snapshot.as_of, figures.figure, cast(figures.value as double) as value
from figures
cross join reference.snapshot as snapshot

/* example
name = "privileged accounts in use, accounts with a finding of any stale rule once, decisions of the campaign signed off last, and days to fix"
given."reference.snapshot" = [ { snapshot_id = "9", as_of = 2026-04-01T00:00:00Z } ]
given."reference.rules" = [ { rule_id = "unused", risk_factor = "stale" }, { rule_id = "unused admin", risk_factor = "stale" }, { rule_id = "leaver", risk_factor = "leaver" } ]
given."graph.accounts" = [
  { source = "s", account_id = "a", privileged = true, status = "active" }, { source = "s", account_id = "b", privileged = true, status = "inactive" },
  { source = "s", account_id = "c", privileged = false, status = "active" },
]
given."findings.register" = [
  { finding_id = "1", rule_id = "unused", source = "s", account_id = "a", status = "open" },
  { finding_id = "2", rule_id = "unused admin", source = "s", account_id = "a", status = "open" },
  { finding_id = "3", rule_id = "unused", source = "t", account_id = "a", status = "open" },
  { finding_id = "4", rule_id = "unused", source = "s", account_id = "c", status = "accepted_risk" },
  { finding_id = "5", rule_id = "leaver", source = "s", account_id = "c", status = "open" },
]
given."reports.review_quality" = [
  { campaign = "open", items = 9, kept = 9, removed = 0, reduced = 0, pending = 0 },
  { campaign = "last", signed_at = 2026-03-01T00:00:00Z, items = 9, kept = 5, removed = 2, reduced = 1, pending = 1 },
]
given."reports.resolved_findings" = [
  { finding_id = "6", is_fixed = true, days_to_fix = 3 }, { finding_id = "7", is_fixed = true, days_to_fix = 10 },
  { finding_id = "8", is_fixed = false },
]
expect = [
  { figure = "privileged_accounts", value = 1.0 }, { figure = "stale_accounts", value = 2.0 },
  { figure = "approved_percent", value = 62.5 }, { figure = "removed_percent", value = 37.5 },
  { figure = "median_days_to_fix", value = 6.5 },
]
*/
/* example
name = "what is not known is null: no campaign, nothing fixed, no rule about stale accounts with a result"
given."reference.snapshot" = [ { snapshot_id = "9", as_of = 2026-04-01T00:00:00Z } ]
given."reference.rules" = [ { rule_id = "unused", risk_factor = "stale" } ]
given."reports.unevaluated_rules" = [ { rule_id = "unused" } ]
expect = [
  { figure = "privileged_accounts", value = 0.0 }, { figure = "stale_accounts", value = "<null>" },
  { figure = "approved_percent", value = "<null>" }, { figure = "removed_percent", value = "<null>" },
  { figure = "median_days_to_fix", value = "<null>" },
]
*/
