/*
summary = "One finding: a member of a rule's population that fails it. Excused findings stay, with their status."
reads   = [
    "findings.failed", "findings.rule_summary", "graph.accounts", "graph.people", "graph.groups", "graph.roles",
    "graph.objects", "graph.owners", "graph.policy_subjects", "policy.default_owner", "reference.severities", "reference.snapshot",
    "history.register", "history.evaluations", "history.unknown_subjects",
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
person_id              = "varchar: the person that the account belongs to, or that the finding is about"
first_seen_at          = "timestamp: when the extract of the first snapshot with this finding ended, UTC; it stays the first after the finding came back"
age_days               = "integer: calendar days in UTC from first seen to as-of; 0 if first seen after as-of"
owner_email            = "varchar: who is to fix it, in lower case: the owner of the account, group, role or object, but never the person that the finding is about; else the manager of the person, else default_owner under [policy]"
due_at                 = "date: last day to fix it, which is as many days as its severity allows after first seen, or after it came back if it was gone, or after as-of if that report was evaluated as of a later day; null for info"
overdue                = "boolean: it is open, and as-of is a later day than due_at"
due_from_at            = "timestamp: when the time to fix began, UTC: first seen, or when the finding came back after it was gone; as-of if that report was evaluated as of a later day"
returned_snapshot_id   = "varchar: the snapshot in which it last came back after it was gone; null if it never was"
object_type            = "varchar: dashboard, model or folder; null unless the finding is about one"
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

-- A finding about an exception names an object without its type.
object_names as (
    select source, object_type, object_id, object_name from graph.objects
    union all
    select source, '', object_id, min(object_name) from graph.objects group by source, object_id
),

-- Whatever moment the rules are evaluated as of, a finding is seen when the extract that shows it ends.
extracts as (
    select
        date_trunc('second', finished_at) as extracted_at,
        -- A build evaluated as of a later day must not call a new finding overdue.
        greatest(date_trunc('second', finished_at), cast($as_of as timestamp)) as known_at
    from reference.snapshot
),

earlier_findings as (
    select
        finding_id,
        arg_min(coalesce(first_seen_snapshot_id, snapshot_id), snapshot_id) as first_seen_snapshot_id,
        arg_min(first_seen_at, snapshot_id) as first_seen_at,
        max(snapshot_id) as last_snapshot_id, arg_max(due_from_at, snapshot_id) as due_from_at,
        max(returned_snapshot_id) as returned_snapshot_id
    from history.register
    where snapshot_id < $snapshot_id and finding_id in (select finding_id from findings.failed)
    group by finding_id
),

-- Findings that were gone for a while: a later complete snapshot could evaluate the rule for the subject, and it passed.
returned_findings as (
    select distinct earlier.finding_id
    from earlier_findings as earlier
    join findings.failed as failed on failed.finding_id = earlier.finding_id
    join history.evaluations as evaluations
        on evaluations.rule_id = failed.rule_id and evaluations.source = coalesce(failed.source, '')
        and evaluations.object_type = coalesce(failed.object_type, '') and evaluations.is_conclusive
        and evaluations.snapshot_id > earlier.last_snapshot_id and evaluations.snapshot_id < $snapshot_id
    anti join history.unknown_subjects as subjects
        on subjects.snapshot_id = evaluations.snapshot_id and subjects.rule_id = failed.rule_id
        and subjects.source = coalesce(failed.source, '') and subjects.subject_id = failed.subject_id
),

known_findings as (
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
        coalesce(earlier.first_seen_snapshot_id, $snapshot_id) as first_seen_snapshot_id,
        case failed.subject_type when 'person' then failed.subject_id else accounts.person_id end as person_id,
        coalesce(earlier.first_seen_at, snapshot.extracted_at) as first_seen_at,
        coalesce(
            -- The owner of an object is not to fix a finding about themselves.
            case
                when failed.subject_type <> 'object' or owners.owner_email is distinct from accounts.email_key
                    and owners.owner_email is distinct from holders.email_key then owners.owner_email
                else managers.owner_email
            end,
            default_owner.owner_email
        ) as owner_email,
        case
            -- An earlier report may have been evaluated as of a day that is still to come.
            when returned.finding_id is null then least(earlier.due_from_at, snapshot.known_at)
            else snapshot.known_at
        end as due_from_at,
        case when returned.finding_id is null then earlier.returned_snapshot_id else $snapshot_id end
            as returned_snapshot_id,
        failed.object_type
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
        on failed.subject_type = 'object' and objects.source = failed.source
        and objects.object_type = coalesce(failed.object_type, '') and objects.object_id = failed.subject_id
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
    left join earlier_findings as earlier on earlier.finding_id = failed.finding_id
    left join returned_findings as returned on returned.finding_id = failed.finding_id
    left join graph.owners as owners
        on owners.source = coalesce(failed.source, '') and owners.subject_type = failed.subject_type
        and owners.object_type = coalesce(failed.object_type, '') and owners.subject_id = failed.subject_id
    left join graph.people as holders on holders.person_id = accounts.person_id
    left join graph.owners as managers
        on failed.subject_type = 'object' and managers.source = failed.source and managers.subject_type = 'account'
        and managers.subject_id = failed.account_id
    left join policy.default_owner as default_owner on true
    left join extracts as snapshot on true
)

select
    found.finding_id, found.rule_id, found.severity, found.source, found.subject_type, found.subject_id,
    found.display_name, found.account_id, found.email, found.title, found.detail, found.observed_value,
    found.threshold, found.evidence, found.controls, found.recommended_action, found.status,
    found.first_seen_snapshot_id, found.person_id, found.first_seen_at,
    cast(greatest(date_diff('day', found.first_seen_at, $as_of), 0) as integer) as age_days,
    found.owner_email,
    cast(found.due_from_at as date) + severities.days_to_fix as due_at,
    coalesce(
        found.status = 'open' and cast($as_of as date) > cast(found.due_from_at as date) + severities.days_to_fix, false
    ) as overdue,
    found.due_from_at, found.returned_snapshot_id, found.object_type
from known_findings as found
left join reference.severities as severities on severities.severity = found.severity

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
  { finding_id = "1", rule_id = "r", source = "s", subject_type = "object", object_type = "dashboard", subject_id = "d", account_id = "a" },
  { finding_id = "3", rule_id = "r", source = "s", subject_type = "object", object_type = "model", subject_id = "d" },
  { finding_id = "4", rule_id = "r", source = "s", subject_type = "object", subject_id = "f" },
  { finding_id = "2", rule_id = "r", source = "s", subject_type = "object", subject_id = "e" },
]
given."graph.accounts" = [ { source = "s", account_id = "a", display_name = "Ada", email = "ada@example.com" } ]
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales" },
  { source = "s", object_type = "model", object_id = "d", object_name = "Orders" },
  { source = "s", object_type = "folder", object_id = "f", object_name = "Finance" },
]
given."graph.owners" = [ { source = "s", subject_type = "object", object_type = "model", subject_id = "d", owner_email = "bo@example.com" } ]
given."policy.default_owner" = [ { owner_email = "ciso@example.com" } ]
given."graph.policy_subjects" = [ { policy = "exceptions", rule_id = "r", source = "s", subject_type = "object", subject_id = "e", is_in_force = true } ]
expect = [
  { finding_id = "1", display_name = "Sales", email = "ada@example.com", status = "open", owner_email = "ciso@example.com" },
  { finding_id = "2", display_name = "e", status = "accepted_risk" },
  { finding_id = "3", display_name = "Orders", status = "open", owner_email = "bo@example.com" },
  { finding_id = "4", display_name = "Finance", owner_email = "ciso@example.com" },
]
*/
/* example
name = "a finding is due as many days after it was first seen as its severity allows, is overdue the day after if it is open, and belongs to the owner of its subject"
as_of = 2026-03-09T00:00:00Z
given."findings.rule_summary" = [ { rule_id = "r", title = "T", summary = "S", severity = "high", enabled = true, parameters = "", controls = "", remediation = "Fix it.", sql_sha256 = "x" } ]
given."reference.snapshot" = [ { snapshot_id = "example", finished_at = 2026-03-09T06:00:00.5Z } ]
given."findings.failed" = [
  { finding_id = "new", rule_id = "r", source = "s", subject_type = "account", subject_id = "a", account_id = "a" },
  { finding_id = "last day", rule_id = "r", source = "s", subject_type = "account", subject_id = "b" },
  { finding_id = "late", rule_id = "r", subject_type = "person", subject_id = "p" },
  { finding_id = "excused", rule_id = "r", source = "s", subject_type = "group", subject_id = "g" },
  { finding_id = "info", rule_id = "r", severity = "info", source = "s", subject_type = "role", subject_id = "r" },
]
given."graph.accounts" = [ { source = "s", account_id = "a", person_id = "q" } ]
given."graph.owners" = [
  { source = "s", subject_type = "account", object_type = "", subject_id = "a", owner_email = "boss@example.com" },
  { source = "", subject_type = "person", object_type = "", subject_id = "p", owner_email = "chief@example.com" },
]
given."graph.policy_subjects" = [ { policy = "exceptions", rule_id = "r", source = "s", subject_type = "group", subject_id = "g", is_in_force = true } ]
given."history.register" = [
  { snapshot_id = "b", finding_id = "last day", first_seen_snapshot_id = "a", first_seen_at = 2026-03-02T23:59:59Z, due_from_at = 2026-03-02T23:59:59Z },
  { snapshot_id = "b", finding_id = "late", first_seen_snapshot_id = "b", first_seen_at = 2026-03-01T00:00:00Z, due_from_at = 2026-03-01T00:00:00Z },
  { snapshot_id = "b", finding_id = "excused", first_seen_snapshot_id = "b", first_seen_at = 2026-03-01T00:00:00Z, due_from_at = 2026-03-01T00:00:00Z },
  { snapshot_id = "b", finding_id = "info", first_seen_snapshot_id = "b", first_seen_at = 2025-03-01T00:00:00Z, due_from_at = 2025-03-01T00:00:00Z },
]
expect = [
  { finding_id = "new", person_id = "q", first_seen_snapshot_id = "example", first_seen_at = 2026-03-09T06:00:00Z, age_days = 0, owner_email = "boss@example.com", due_at = 2026-03-16, overdue = false },
  { finding_id = "last day", person_id = "<null>", first_seen_snapshot_id = "a", age_days = 7, owner_email = "<null>", due_at = 2026-03-09, overdue = false },
  { finding_id = "late", person_id = "p", first_seen_snapshot_id = "b", age_days = 8, owner_email = "chief@example.com", due_at = 2026-03-08, overdue = true },
  { finding_id = "excused", person_id = "<null>", first_seen_snapshot_id = "b", age_days = 8, owner_email = "<null>", due_at = 2026-03-08, overdue = false },
  { finding_id = "info", person_id = "<null>", first_seen_snapshot_id = "b", age_days = 373, owner_email = "<null>", due_at = "<null>", overdue = false },
]
*/
/* example
name = "the owner of an object does not own a finding about themselves: their manager does, else the default owner"
given."findings.rule_summary" = [ { rule_id = "r", title = "T", summary = "S", severity = "low", enabled = true, parameters = "", controls = "", remediation = "Fix it.", sql_sha256 = "x" } ]
given."findings.failed" = [
  { finding_id = "own", rule_id = "r", source = "s", subject_type = "object", object_type = "model", subject_id = "m", account_id = "bo" },
  { finding_id = "main address", rule_id = "r", source = "s", subject_type = "object", object_type = "model", subject_id = "m", account_id = "bo too" },
  { finding_id = "other", rule_id = "r", source = "s", subject_type = "object", object_type = "model", subject_id = "m", account_id = "cy" },
  { finding_id = "outsider", rule_id = "r", source = "s", subject_type = "object", object_type = "model", subject_id = "o", account_id = "out" },
]
given."graph.people" = [ { person_id = "p", email = "Bo@example.com", email_key = "bo@example.com" } ]
given."graph.accounts" = [
  { source = "s", account_id = "bo", email_key = "bo@example.com" },
  { source = "s", account_id = "bo too", email_key = "bo.alias@example.com", person_id = "p" },
  { source = "s", account_id = "cy", email_key = "cy@example.com" },
  { source = "s", account_id = "out", email_key = "out@partner.test" },
]
given."graph.owners" = [
  { source = "s", subject_type = "object", object_type = "model", subject_id = "m", owner_email = "bo@example.com" },
  { source = "s", subject_type = "object", object_type = "model", subject_id = "o", owner_email = "out@partner.test" },
  { source = "s", subject_type = "account", object_type = "", subject_id = "bo too", owner_email = "boss@example.com" },
]
given."policy.default_owner" = [ { owner_email = "ciso@example.com" } ]
expect = [
  { finding_id = "own", owner_email = "ciso@example.com" }, { finding_id = "main address", owner_email = "boss@example.com" },
  { finding_id = "other", owner_email = "bo@example.com" }, { finding_id = "outsider", owner_email = "ciso@example.com" },
]
*/
/* example
name = "evaluated as of a later day, a new finding is due as many days after that day; a day that is still to come gives no more time"
as_of = 2026-04-01T00:00:00Z
given."findings.rule_summary" = [ { rule_id = "r", title = "T", summary = "S", severity = "high", enabled = true, parameters = "", controls = "", remediation = "Fix it.", sql_sha256 = "x" } ]
given."reference.snapshot" = [ { snapshot_id = "example", finished_at = 2026-03-09T06:00:00Z } ]
given."findings.failed" = [
  { finding_id = "new", rule_id = "r", source = "s", subject_type = "account", subject_id = "a" },
  { finding_id = "old", rule_id = "r", source = "s", subject_type = "account", subject_id = "b" },
  { finding_id = "as of later", rule_id = "r", source = "s", subject_type = "account", subject_id = "c" },
]
given."history.register" = [
  { snapshot_id = "b", finding_id = "old", first_seen_snapshot_id = "b", first_seen_at = 2026-03-01T00:00:00Z, due_from_at = 2026-03-01T00:00:00Z },
  { snapshot_id = "b", finding_id = "as of later", first_seen_snapshot_id = "b", first_seen_at = 2026-03-01T00:00:00Z, due_from_at = 2026-12-31T00:00:00Z },
]
expect = [
  { finding_id = "new", first_seen_at = 2026-03-09T06:00:00Z, due_at = 2026-04-08, overdue = false },
  { finding_id = "old", due_at = 2026-03-08, overdue = true },
  { finding_id = "as of later", due_at = 2026-04-08, overdue = false },
]
*/
/* example
name = "the time to fix a finding begins again when it comes back, but not after a snapshot that could not show that it was gone"
as_of = 2026-05-01T00:00:00Z
given."findings.rule_summary" = [
  { rule_id = "r", title = "T", summary = "S", severity = "high", enabled = true, parameters = "", controls = "", remediation = "Fix it.", sql_sha256 = "x" },
  { rule_id = "off then", title = "T", summary = "S", severity = "high", enabled = true, parameters = "", controls = "", remediation = "Fix it.", sql_sha256 = "x" },
]
given."reference.snapshot" = [ { snapshot_id = "example", finished_at = 2026-05-01T06:00:00Z } ]
given."findings.failed" = [
  { finding_id = "back", rule_id = "r", source = "s", subject_type = "account", subject_id = "a" },
  { finding_id = "not known", rule_id = "r", source = "s", subject_type = "account", subject_id = "b" },
  { finding_id = "not evaluated", rule_id = "off then", source = "s", subject_type = "account", subject_id = "c" },
  { finding_id = "other source", rule_id = "r", source = "t", subject_type = "account", subject_id = "a" },
  { finding_id = "back before", rule_id = "r", source = "s", subject_type = "account", subject_id = "d" },
]
given."history.evaluations" = [
  { snapshot_id = "1", rule_id = "r", source = "s", object_type = "", is_conclusive = true },
  { snapshot_id = "2", rule_id = "r", source = "s", object_type = "", is_conclusive = true },
  { snapshot_id = "2", rule_id = "off then", source = "s", object_type = "", is_conclusive = false },
  { snapshot_id = "later", rule_id = "r", source = "t", object_type = "", is_conclusive = true },
]
given."history.unknown_subjects" = [ { snapshot_id = "2", rule_id = "r", source = "s", subject_type = "account", subject_id = "b" } ]
given."history.register" = [
  { snapshot_id = "1", finding_id = "back", first_seen_snapshot_id = "1", first_seen_at = 2026-03-01T00:00:00Z, due_from_at = 2026-03-01T00:00:00Z },
  { snapshot_id = "1", finding_id = "not known", first_seen_snapshot_id = "1", first_seen_at = 2026-03-01T00:00:00Z, due_from_at = 2026-03-01T00:00:00Z },
  { snapshot_id = "1", finding_id = "not evaluated", first_seen_snapshot_id = "1", first_seen_at = 2026-03-01T00:00:00Z, due_from_at = 2026-03-01T00:00:00Z },
  { snapshot_id = "1", finding_id = "other source", first_seen_snapshot_id = "1", first_seen_at = 2026-03-01T00:00:00Z, due_from_at = 2026-03-01T00:00:00Z },
  { snapshot_id = "0", finding_id = "back before", first_seen_snapshot_id = "0", first_seen_at = 2026-02-01T00:00:00Z, due_from_at = 2026-02-01T00:00:00Z },
  { snapshot_id = "2", finding_id = "back before", first_seen_snapshot_id = "0", first_seen_at = 2026-02-01T00:00:00Z, due_from_at = 2026-04-01T00:00:00Z, returned_snapshot_id = "2" },
]
expect = [
  { finding_id = "back", first_seen_at = 2026-03-01T00:00:00Z, returned_snapshot_id = "example", due_at = 2026-05-08, overdue = false },
  { finding_id = "not known", first_seen_at = 2026-03-01T00:00:00Z, returned_snapshot_id = "<null>", due_at = 2026-03-08, overdue = true },
  { finding_id = "not evaluated", first_seen_at = 2026-03-01T00:00:00Z, due_at = 2026-03-08, overdue = true },
  { finding_id = "other source", first_seen_at = 2026-03-01T00:00:00Z, due_at = 2026-03-08, overdue = true },
  { finding_id = "back before", first_seen_at = 2026-02-01T00:00:00Z, returned_snapshot_id = "2", due_at = 2026-04-08, overdue = true },
]
*/
