/*
summary = "One account that takes a licence seat, because it is active or invited, with its class of seat. Applications that are read from files have no seats here."
reads   = [
    "graph.accounts", "graph.sources", "graph.roles", "reference.role_names", "reference.rank_levels", "reference.rules",
    "reports.finding_accounts",
]
grain   = ["source", "account_id"]

[columns]
source          = "varchar: the source's name in the configuration"
account_id      = "varchar: the source's own id, verbatim"
email           = "varchar: e-mail address"
seat_class      = "varchar: admin, designer or viewer, by the account's role, else by its base role; else unknown"
status          = "varchar: active or pending"
days_since_seen = "bigint: UTC calendar days from the day last seen to the day of as-of"
reclaimable     = "boolean: an open finding recommends to remove the account, which frees the seat"
reason          = "varchar: why it can be removed, the most severe finding first"
*/
with

-- A source uses either name of a built-in role.
builtin_names as (
    select lower(role_name) as name, level from reference.role_names
    union
    select lower(display_name), level from reference.role_names
),

-- The policy may rank a role as it likes; the seat depends on what the role is in Sisense.
role_seats as (
    select role.source, role.role_id, levels.seat_class
    from graph.roles as role
    left join builtin_names as own on own.name = lower(role.role_name)
    left join builtin_names as base on base.name = lower(role.base_role_name)
    join reference.rank_levels as levels on levels.level = coalesce(own.level, base.level)
),

removals as (
    select found.source, found.account_id, rules.reason, min(found.severity_rank) as severity_rank
    from reports.finding_accounts as found
    join reference.rules as rules on rules.rule_id = found.rule_id
    where found.status = 'open' and rules.recommendation = 'remove' and rules.marks = 'account'
    group by found.source, found.account_id, rules.reason
),

removable_accounts as (
    select source, account_id, string_agg(reason, ' ' order by severity_rank, reason) as reason
    from removals
    group by source, account_id
)

select
    account.source,
    account.account_id,
    account.email,
    coalesce(role_seats.seat_class, 'unknown') as seat_class,
    account.status,
    account.days_since_seen,
    removable_accounts.account_id is not null as reclaimable,
    removable_accounts.reason
from graph.accounts as account
left join graph.sources as source on source.source = account.source
left join role_seats on role_seats.source = account.source and role_seats.role_id = account.role_id
left join removable_accounts
    on removable_accounts.source = account.source and removable_accounts.account_id = account.account_id
where account.status in ('active', 'pending') and source.is_from_files is distinct from true

/* example
name = "the seat follows the role, by either name, or its base role; the rank in the policy does not matter"
given."reference.role_names" = [
  { role_name = "admin", display_name = "Admin", level = "admin" }, { role_name = "dataAdmin", display_name = "Data Admin", level = "data_admin" },
  { role_name = "contributor", display_name = "Designer", level = "designer" }, { role_name = "consumer", display_name = "Viewer", level = "viewer" },
]
given."graph.roles" = [
  { source = "s", role_id = "a", role_name = "Data Admin", role_rank = 10 },
  { source = "s", role_id = "d", role_name = "contributor", role_rank = 30 },
  { source = "s", role_id = "v", role_name = "Our role", base_role_name = "Viewer", role_rank = 95 },
  { source = "s", role_id = "u", role_name = "Ranked by us", role_rank = 90 },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", role_id = "a", status = "active" }, { source = "s", account_id = "2", role_id = "d", status = "pending" },
  { source = "s", account_id = "3", role_id = "v", status = "active" }, { source = "s", account_id = "4", role_id = "u", status = "active" },
  { source = "s", account_id = "5", role_id = "gone", status = "active" }, { source = "s", account_id = "6", role_id = "a", status = "inactive" },
  { source = "s", account_id = "7", role_id = "a", status = "unknown" }, { source = "t", account_id = "1", role_id = "a", status = "active" },
]
expect = [
  { source = "s", account_id = "1", seat_class = "admin", status = "active", reclaimable = false, reason = "<null>" },
  { source = "s", account_id = "2", seat_class = "designer", status = "pending" },
  { source = "s", account_id = "3", seat_class = "viewer" }, { source = "s", account_id = "4", seat_class = "unknown" },
  { source = "s", account_id = "5", seat_class = "unknown" }, { source = "t", account_id = "1", seat_class = "unknown" },
]
*/
/* example
name = "only an open finding that recommends to remove the account frees a seat; two rules with one reason give it once"
given."reference.rules" = [
  { rule_id = "unused", severity = "medium", recommendation = "remove", marks = "account", reason = "It is not used." },
  { rule_id = "unused_admin", severity = "high", recommendation = "remove", marks = "account", reason = "It is not used." },
  { rule_id = "left", severity = "critical", recommendation = "remove", marks = "account", reason = "The person has left." },
  { rule_id = "role", severity = "high", recommendation = "remove", marks = "role", reason = "The role is rare." },
  { rule_id = "look", severity = "high", recommendation = "investigate", marks = "account", reason = "Nobody is known." },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", days_since_seen = 200 }, { source = "s", account_id = "2", status = "active" },
  { source = "s", account_id = "3", status = "active" },
]
given."reports.finding_accounts" = [
  { finding_id = "a", rule_id = "unused", source = "s", account_id = "1", status = "open", severity_rank = 3 },
  { finding_id = "b", rule_id = "unused_admin", source = "s", account_id = "1", status = "open", severity_rank = 2 },
  { finding_id = "c", rule_id = "left", source = "s", account_id = "1", status = "open", severity_rank = 1 },
  { finding_id = "d", rule_id = "unused", source = "s", account_id = "2", status = "accepted_risk", severity_rank = 3 },
  { finding_id = "e", rule_id = "role", source = "s", account_id = "3", status = "open", severity_rank = 2 },
  { finding_id = "f", rule_id = "look", source = "s", account_id = "3", status = "open", severity_rank = 2 },
]
expect = [
  { account_id = "1", days_since_seen = 200, reclaimable = true, reason = "The person has left. It is not used." },
  { account_id = "2", reclaimable = false }, { account_id = "3", reclaimable = false, reason = "<null>" },
]
*/
