/*
summary = "One finding: a member of a rule's population that fails it. Excused findings stay, with their status."
reads   = [
    "findings.failed", "findings.rule_summary", "graph.accounts", "graph.people", "graph.groups", "graph.roles",
    "graph.objects", "graph.policy_subjects", "reference.severities", "history.register",
]
grain   = ["finding_id"]

[columns]
finding_id             = "varchar: hash of the rule and the subject; the same in every run"
rule_id                = "varchar: the rule"
severity               = "varchar: critical, high, medium, low or info"
source                 = "varchar: the source's name in the configuration; null for a person"
subject_type           = "varchar: account, person, group, role, object (a dashboard or data model) or source"
subject_id             = "varchar: id of the subject"
display_name           = "varchar: name of the account, person, group, role or object"
account_id             = "varchar: the account, if the finding is about one"
email                  = "varchar: that account's e-mail address, or the person's"
title                  = "varchar: title of the rule"
detail                 = "varchar: the finding, in a sentence"
observed_value         = "varchar: the observed value"
threshold              = "varchar: the value or limit it was compared with"
evidence               = "json: further facts, as JSON"
controls               = "varchar: framework: controls"
recommended_action     = "varchar: what to do"
status                 = "varchar: open, accepted_risk or out_of_scope"
first_seen_snapshot_id = "varchar: the first snapshot with this finding"
*/
with

out_of_scope as (
    select distinct subject_type, source, subject_id from graph.policy_subjects
    where policy = 'out_of_scope' and is_in_force
),

accepted as (
    select distinct rule_id, subject_type, source, subject_id from graph.policy_subjects
    where policy = 'exceptions' and is_in_force
),

-- The gravest severity that each rule gives a subject; a finding about an exception takes over that of its rule.
subject_severities as (
    select
        failed.rule_id, failed.subject_type, coalesce(failed.source, '') as source, failed.subject_id,
        arg_min(severities.severity, severities.position) as severity
    from findings.failed as failed
    join findings.rule_summary as rule on rule.rule_id = failed.rule_id
    join reference.severities as severities on severities.severity = coalesce(failed.severity, rule.severity)
    group by failed.rule_id, failed.subject_type, coalesce(failed.source, ''), failed.subject_id
),

-- A person is out of scope when all their accounts are.
people_out_of_scope as (
    select accounts.person_id
    from graph.accounts as accounts
    left join out_of_scope
        on out_of_scope.subject_type = 'account' and out_of_scope.source = accounts.source
        and out_of_scope.subject_id = accounts.account_id
    where accounts.person_id is not null
    group by accounts.person_id
    having bool_and(out_of_scope.subject_id is not null)
),

-- Ids are unique in practice, but the source does not promise that a dashboard and a model never share one.
object_names as (
    select source, object_id, min(object_name) as object_name
    from graph.objects
    group by source, object_id
),

first_findings as (
    select finding_id, min(snapshot_id) as snapshot_id
    from history.register
    where snapshot_id < $snapshot_id
    group by finding_id
)

select
    failed.finding_id,
    failed.rule_id,
    coalesce(subject_severities.severity, failed.severity, rule.severity) as severity,
    failed.source,
    failed.subject_type,
    failed.subject_id,
    -- The account in a finding about an object is not its subject.
    case
        when failed.subject_type = 'object' then coalesce(objects.object_name, failed.subject_id)
        else coalesce(
            accounts.display_name, people.display_name, people.email, groups.group_name, roles.role_display_name
        )
    end as display_name,
    failed.account_id,
    coalesce(accounts.email, people.email) as email,
    rule.title,
    coalesce(failed.detail, rule.summary) as detail,
    failed.observed_value,
    failed.threshold,
    failed.evidence,
    rule.controls,
    rule.remediation as recommended_action,
    case
        when
            out_of_scope.subject_id is not null or accounts_out_of_scope.subject_id is not null
            or people_out_of_scope.person_id is not null then 'out_of_scope'
        when accepted.subject_id is not null then 'accepted_risk'
        else 'open'
    end as status,
    coalesce(first_findings.snapshot_id, $snapshot_id) as first_seen_snapshot_id
from findings.failed as failed
join findings.rule_summary as rule on rule.rule_id = failed.rule_id
left join graph.accounts as accounts
    on accounts.source = failed.source and accounts.account_id = failed.account_id
left join graph.people as people on failed.subject_type = 'person' and people.person_id = failed.subject_id
left join graph.groups as groups
    on failed.subject_type = 'group' and groups.source = failed.source and groups.group_id = failed.subject_id
left join graph.roles as roles
    on failed.subject_type = 'role' and roles.source = failed.source and roles.role_id = failed.subject_id
left join object_names as objects
    on failed.subject_type = 'object' and objects.source = failed.source and objects.object_id = failed.subject_id
left join people_out_of_scope
    on failed.subject_type = 'person' and people_out_of_scope.person_id = failed.subject_id
left join out_of_scope as accounts_out_of_scope
    on accounts_out_of_scope.subject_type = 'account' and accounts_out_of_scope.source = failed.source
    and accounts_out_of_scope.subject_id = failed.account_id
left join out_of_scope
    on out_of_scope.subject_type = failed.subject_type and out_of_scope.source = coalesce(failed.source, '')
    and out_of_scope.subject_id = failed.subject_id
left join subject_severities
    on subject_severities.rule_id = failed.excused_rule_id and subject_severities.subject_type = failed.subject_type
    and subject_severities.source = coalesce(failed.source, '')
    and subject_severities.subject_id = failed.subject_id
left join accepted
    on accepted.rule_id = failed.rule_id and accepted.subject_type = failed.subject_type
    and accepted.source = coalesce(failed.source, '')  -- a person belongs to no source
    and accepted.subject_id = failed.subject_id
left join first_findings on first_findings.finding_id = failed.finding_id

/* example
name = "an accepted risk, a person whose accounts are all out of scope, and a finding that was seen before"
given."findings.rule_summary" = [
  { rule_id = "r", title = "T", summary = "S", severity = "low", enabled = true, parameters = "", controls = "", remediation = "Fix it.", sql_sha256 = "" },
]
given."findings.failed" = [
  { finding_id = "1", rule_id = "r", severity = "high", source = "s", subject_type = "account", subject_id = "a", account_id = "a", detail = "D" },
  { finding_id = "2", rule_id = "r", subject_type = "person", subject_id = "p" },
  { finding_id = "3", rule_id = "r", source = "s", subject_type = "group", subject_id = "g" },
]
given."graph.accounts" = [
  { source = "s", account_id = "a", display_name = "Ada", email = "ada@example.com" },
  { source = "s", account_id = "b", person_id = "p" },
]
given."graph.people" = [ { person_id = "p", email = "bo@example.com" } ]
given."graph.groups" = [ { source = "s", group_id = "g", group_name = "Ops" } ]
given."graph.policy_subjects" = [
  { policy = "exceptions", rule_id = "r", source = "s", subject_type = "account", subject_id = "a", is_in_force = true },
  { policy = "out_of_scope", source = "s", subject_type = "account", subject_id = "b", is_in_force = true },
]
given."history.register" = [ { snapshot_id = "a", finding_id = "3" }, { snapshot_id = "later", finding_id = "1" } ]
expect = [
  { finding_id = "1", severity = "high", status = "accepted_risk", display_name = "Ada", detail = "D", first_seen_snapshot_id = "example" },
  { finding_id = "2", severity = "low", status = "out_of_scope", display_name = "bo@example.com", detail = "S", recommended_action = "Fix it." },
  { finding_id = "3", severity = "low", status = "open", display_name = "Ops", first_seen_snapshot_id = "a" },
]
*/
/* example
name = "a finding about an exception takes over the gravest severity of the excused finding"
given."findings.rule_summary" = [
  { rule_id = "r", title = "T", summary = "S", severity = "low", enabled = true, parameters = "", controls = "", remediation = "Fix it.", sql_sha256 = "" },
  { rule_id = "e", title = "T", summary = "S", severity = "medium", enabled = true, parameters = "", controls = "", remediation = "Fix it.", sql_sha256 = "" },
]
given."findings.failed" = [
  { finding_id = "1", rule_id = "r", severity = "info", source = "s", subject_type = "account", subject_id = "a" },
  { finding_id = "2", rule_id = "r", severity = "critical", source = "s", subject_type = "account", subject_id = "a" },
  { finding_id = "3", rule_id = "e", source = "s", subject_type = "account", subject_id = "a", excused_rule_id = "r" },
]
expect = [
  { finding_id = "1", severity = "info" }, { finding_id = "2", severity = "critical" }, { finding_id = "3", severity = "critical" },
]
*/
/* example
name = "a finding about an object has the object's name, and the address of the account in it"
given."findings.rule_summary" = [ { rule_id = "r", title = "T", summary = "S", severity = "low", enabled = true, parameters = "", controls = "", remediation = "Fix it.", sql_sha256 = "x" } ]
given."findings.failed" = [
  { finding_id = "1", rule_id = "r", source = "s", subject_type = "object", subject_id = "d", account_id = "a" },
  { finding_id = "2", rule_id = "r", source = "s", subject_type = "object", subject_id = "e" },
]
given."graph.accounts" = [ { source = "s", account_id = "a", display_name = "Ada", email = "ada@example.com" } ]
given."graph.objects" = [ { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales" } ]
given."graph.policy_subjects" = [ { policy = "exceptions", rule_id = "r", source = "s", subject_type = "object", subject_id = "e", is_in_force = true } ]
expect = [
  { finding_id = "1", display_name = "Sales", email = "ada@example.com", status = "open" },
  { finding_id = "2", display_name = "e", status = "accepted_risk" },
]
*/
