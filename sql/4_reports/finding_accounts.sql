/*
summary = "One finding and one account that it counts for: its own account, or each account of its person."
reads   = ["findings.register", "graph.accounts", "reference.severities"]
grain   = ["finding_id", "source", "account_id"]

[columns]
finding_id    = "varchar: the finding"
rule_id       = "varchar: its rule"
title         = "varchar: title of the rule"
severity      = "varchar: critical, high, medium, low or info"
severity_rank = "integer: 1 critical to 5 info"
status        = "varchar: open, accepted_risk or out_of_scope"
source        = "varchar: the account's source"
account_id    = "varchar: the account"
names_access  = "boolean: the finding names single roles or groups of the account; see reports.finding_access"
*/
with

subject_accounts as (
    select *, source as account_source, account_id as counted_account_id
    from findings.register
    where account_id is not null
    union all
    -- A finding about a person counts for every account of the person, in every source.
    select register.*, account.source as account_source, account.account_id as counted_account_id
    from findings.register as register
    join graph.accounts as account on account.person_id = register.subject_id
    where register.subject_type = 'person' and register.account_id is null
)

select
    finding_id,
    rule_id,
    title,
    subject_accounts.severity,
    severities.position as severity_rank,
    status,
    account_source as source,
    counted_account_id as account_id,
    (evidence ->> 'group_id') is not null or (evidence -> 'access') is not null as names_access
from subject_accounts
join reference.severities as severities on severities.severity = subject_accounts.severity

/* example
name = "a finding about a person counts for each account of the person, one about a group for none"
given."graph.accounts" = [
  { source = "s", account_id = "1", person_id = "ada" }, { source = "t", account_id = "2", person_id = "ada" },
  { source = "s", account_id = "3", person_id = "bo" },
]
given."findings.register" = [
  { finding_id = "a", rule_id = "any_rule", severity = "high", subject_type = "person", subject_id = "ada", status = "open" },
  { finding_id = "b", rule_id = "accounts", severity = "medium", source = "s", subject_type = "account", subject_id = "3", account_id = "3", status = "open" },
  { finding_id = "c", rule_id = "groups", severity = "low", source = "s", subject_type = "account", subject_id = "3", account_id = "3", status = "open", evidence = '{"group_id":"g"}' },
  { finding_id = "d", rule_id = "empty_groups", severity = "low", source = "s", subject_type = "group", subject_id = "g", status = "open" },
]
expect = [
  { finding_id = "a", source = "s", account_id = "1", severity_rank = 2, names_access = false },
  { finding_id = "a", source = "t", account_id = "2" },
  { finding_id = "b", source = "s", account_id = "3", names_access = false },
  { finding_id = "c", source = "s", account_id = "3", names_access = true },
]
*/
