/*
summary = "The result of one rule: its findings by status and the accounts they affect."
reads   = ["findings.rule_summary", "findings.register", "reports.finding_accounts", "reference.rules", "graph.rule_inputs"]
grain   = ["rule_id"]

[columns]
rule_id       = "varchar: the rule"
outcome       = "varchar: found, excused (nothing open), passed, partly (nothing found, and not all evaluated), unknown (not evaluated), empty (nothing to examine, although its input is there) or off"
findings      = "bigint: findings, including excused ones"
open_findings = "bigint: open findings"
accepted      = "bigint: findings accepted as a risk"
out_of_scope  = "bigint: findings on excluded accounts"
accounts      = "bigint: accounts that the open findings count for, including those of people with a finding"
headline      = "varchar: the number of the management summary that counts its open findings"
*/
with

counts as (
    select
        rule_id,
        count(*) as findings,
        count(*) filter (where status = 'open') as open_findings,
        count(*) filter (where status = 'accepted_risk') as accepted,
        count(*) filter (where status = 'out_of_scope') as out_of_scope
    from findings.register
    group by rule_id
),

accounts as (
    select rule_id, count(distinct source || chr(31) || account_id) as accounts
    from reports.finding_accounts
    where status = 'open'
    group by rule_id
)

select
    rules.rule_id,
    case
        when not rules.enabled then 'off'
        when counts.open_findings > 0 then 'found'
        when counts.findings > 0 then 'excused'
        -- Without the input that it needs, it is not known whether there was anything to examine.
        when rules.population = 0 and coalesce(inputs.is_present, true) then 'empty'
        when rules.passed = 0 then 'unknown'
        when rules.unknown > 0 then 'partly'
        else 'passed'
    end as outcome,
    coalesce(counts.findings, 0) as findings,
    coalesce(counts.open_findings, 0) as open_findings,
    coalesce(counts.accepted, 0) as accepted,
    coalesce(counts.out_of_scope, 0) as out_of_scope,
    coalesce(accounts.accounts, 0) as accounts,
    header.headline
from findings.rule_summary as rules
left join counts on counts.rule_id = rules.rule_id
left join accounts on accounts.rule_id = rules.rule_id
left join reference.rules as header on header.rule_id = rules.rule_id
left join graph.rule_inputs as inputs on inputs.input = header.needs

/* example
name = "a rule that was not evaluated, or not for all, has not passed"
given."findings.rule_summary" = [
  { rule_id = "blind", enabled = true, population = 3, failed = 0, unknown = 3, passed = 0 },
  { rule_id = "clean", enabled = true, population = 3, failed = 0, unknown = 0, passed = 3 },
  { rule_id = "gap", enabled = true, population = 3, failed = 0, unknown = 1, passed = 2 },
  { rule_id = "hits", enabled = true, population = 3, failed = 3, unknown = 0, passed = 0 },
  { rule_id = "idle", enabled = true, population = 0, failed = 0, unknown = 0, passed = 0 },
  { rule_id = "off", enabled = false },
]
given."findings.register" = [
  { finding_id = "1", rule_id = "hits", source = "s", account_id = "a", status = "open" },
  { finding_id = "2", rule_id = "hits", source = "s", account_id = "a", status = "open" },
  { finding_id = "3", rule_id = "hits", source = "s", account_id = "b", status = "accepted_risk" },
]
given."reference.rules" = [ { rule_id = "hits", headline = "hits_counted" } ]
given."reports.finding_accounts" = [
  { finding_id = "1", rule_id = "hits", source = "s", account_id = "a", status = "open" },
  { finding_id = "2", rule_id = "hits", source = "s", account_id = "a", status = "open" },
  { finding_id = "3", rule_id = "hits", source = "s", account_id = "b", status = "accepted_risk" },
]
expect = [
  { rule_id = "blind", outcome = "unknown" },
  { rule_id = "clean", outcome = "passed" },
  { rule_id = "gap", outcome = "partly" },
  { rule_id = "hits", outcome = "found", findings = 3, open_findings = 2, accepted = 1, out_of_scope = 0, accounts = 1, headline = "hits_counted" },
  { rule_id = "idle", outcome = "empty" },
  { rule_id = "off", outcome = "off", findings = 0 },
]
*/
