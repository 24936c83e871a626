/*
summary = "One finding with the context that a reader needs."
reads   = ["findings.register", "reports.population", "graph.people", "reference.severities"]
grain   = ["finding_id"]

[columns]
finding_id        = "varchar: hash of the rule and the subject"
rule_id           = "varchar: the rule"
severity          = "varchar: critical, high, medium, low or info"
severity_rank     = "integer: 1 critical to 5 info"
source            = "varchar: the source's name in the configuration"
subject_type      = "varchar: account, person, group, role, object (a dashboard or data model) or source"
subject_id        = "varchar: id of the subject"
account_id        = "varchar: the account, if the finding is about one"
label             = "varchar: name of the account, person, group or role, or else its id"
email             = "varchar: e-mail address"
role              = "varchar: display name of the role; 'unknown role' if the role does not exist or has no name"
department        = "varchar: the person's department"
last_seen_at      = "timestamp: when the account was last seen"
days_since_seen   = "bigint: UTC calendar days since that day"
login_state       = "varchar: seen, never or unknown"
detail            = "varchar: the finding, in a sentence"
observed_value    = "varchar: the observed value"
threshold         = "varchar: the value or limit it was compared with"
status            = "varchar: open, accepted_risk or out_of_scope"
privileged        = "boolean: the account is privileged; null if the finding is not about one account"
days_since_end    = "bigint: UTC calendar days since the person's last day; null if it has not passed"
person_id         = "varchar: the person that the account belongs to, or that the finding is about"
first_seen_at     = "timestamp: when the extract of the first snapshot that had it ended, UTC"
age_days          = "integer: calendar days in UTC from first seen to as-of"
owner_email       = "varchar: e-mail address of the owner who is to fix it; null without an owner"
owner             = "varchar: the name of that person, else the address"
due_at            = "date: last day to fix it; null for info"
overdue           = "boolean: it is open, and as-of is a later day than due_at"
kind              = "varchar: what the finding is about, in words: account, person, group, role, dashboard, data model, folder, 'dashboard or data model' if the finding does not say which, or source"
*/
with

named_owners as (
    select email_key as owner_email, min(display_name) as display_name
    from graph.people
    where display_name is not null
    group by email_key
    having count(*) = 1
)

select
    found.finding_id,
    found.rule_id,
    found.severity,
    severities.position as severity_rank,
    found.source,
    found.subject_type,
    found.subject_id,
    found.account_id,
    coalesce(found.display_name, found.subject_id) as label,
    coalesce(found.email, account.user_name) as email,
    coalesce(account.role_display_name, account.role_name, case when account.role_id is not null then 'unknown role' end) as role,
    coalesce(account.department, person.department) as department,
    account.last_seen_at,
    account.days_since_seen,
    account.login_state,
    found.detail,
    found.observed_value,
    found.threshold,
    found.status,
    account.privileged,
    case when holder.end_date <= cast($as_of as date) then date_diff('day', holder.end_date, cast($as_of as date)) end
        as days_since_end,
    found.person_id,
    found.first_seen_at,
    found.age_days,
    found.owner_email,
    coalesce(named_owners.display_name, found.owner_email) as owner,
    found.due_at,
    found.overdue,
    case
        when found.subject_type <> 'object' then found.subject_type
        -- A finding about an exception names an object without its type.
        when found.object_type is null then 'dashboard or data model'
        when found.object_type = 'model' then 'data model'
        else found.object_type
    end as kind
from findings.register as found
join reference.severities as severities on severities.severity = found.severity
left join reports.population as account on account.source = found.source and account.account_id = found.account_id
left join graph.people as person on found.subject_type = 'person' and person.person_id = found.subject_id
left join graph.people as holder on holder.person_id = account.person_id
left join named_owners on named_owners.owner_email = found.owner_email

/* example
name = "days since the person left count from the last day; without a last day, or with one in the future, they are null"
as_of = 2026-04-01T09:00:00Z
given."graph.people" = [
  { person_id = "left", end_date = 2026-03-31 }, { person_id = "today", end_date = 2026-04-01 }, { person_id = "leaving", end_date = 2026-04-02 },
]
given."reports.population" = [
  { source = "s", account_id = "1", person_id = "left", privileged = true }, { source = "s", account_id = "2", person_id = "today", privileged = false },
  { source = "s", account_id = "3", person_id = "leaving", privileged = false }, { source = "s", account_id = "4", privileged = false },
]
given."findings.register" = [
  { finding_id = "1", rule_id = "r", severity = "low", source = "s", subject_type = "account", subject_id = "1", account_id = "1", title = "t", detail = "d", controls = "", recommended_action = "a", status = "open", first_seen_snapshot_id = "x" },
  { finding_id = "2", rule_id = "r", severity = "low", source = "s", subject_type = "account", subject_id = "2", account_id = "2", title = "t", detail = "d", controls = "", recommended_action = "a", status = "open", first_seen_snapshot_id = "x" },
  { finding_id = "3", rule_id = "r", severity = "low", source = "s", subject_type = "account", subject_id = "3", account_id = "3", title = "t", detail = "d", controls = "", recommended_action = "a", status = "open", first_seen_snapshot_id = "x" },
  { finding_id = "4", rule_id = "r", severity = "low", source = "s", subject_type = "account", subject_id = "4", account_id = "4", title = "t", detail = "d", controls = "", recommended_action = "a", status = "open", first_seen_snapshot_id = "x" },
]
expect = [
  { finding_id = "1", privileged = true, days_since_end = 1 }, { finding_id = "2", privileged = false, days_since_end = 0 },
  { finding_id = "3", days_since_end = "<null>" }, { finding_id = "4", days_since_end = "<null>" },
]
*/
/* example
name = "an owner has the name that the roster gives, unless two people share the address"
given."graph.people" = [
  { person_id = "1", email_key = "ann@example.com", display_name = "Ann" },
  { person_id = "2", email_key = "two@example.com", display_name = "Bo" }, { person_id = "3", email_key = "two@example.com", display_name = "Cy" },
]
given."findings.register" = [
  { finding_id = "1", rule_id = "r", severity = "low", owner_email = "ann@example.com", due_at = 2026-01-31, overdue = false, age_days = 3 },
  { finding_id = "2", rule_id = "r", severity = "low", owner_email = "two@example.com" },
  { finding_id = "3", rule_id = "r", severity = "low", owner_email = "ciso@example.com" },
  { finding_id = "4", rule_id = "r", severity = "low" },
]
expect = [
  { finding_id = "1", owner = "Ann", owner_email = "ann@example.com", due_at = 2026-01-31, overdue = false, age_days = 3 },
  { finding_id = "2", owner = "two@example.com" }, { finding_id = "3", owner = "ciso@example.com" }, { finding_id = "4", owner = "<null>" },
]
*/
/* example
name = "a finding about an object says which kind of object it is"
given."findings.register" = [
  { finding_id = "1", rule_id = "r", severity = "low", subject_type = "object", object_type = "model" },
  { finding_id = "2", rule_id = "r", severity = "low", subject_type = "object", object_type = "dashboard" },
  { finding_id = "3", rule_id = "r", severity = "low", subject_type = "object" },
  { finding_id = "4", rule_id = "r", severity = "low", subject_type = "group" },
]
expect = [
  { finding_id = "1", kind = "data model" }, { finding_id = "2", kind = "dashboard" },
  { finding_id = "3", kind = "dashboard or data model" }, { finding_id = "4", kind = "group" },
]
*/
