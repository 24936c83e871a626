/*
summary = "One finding, open or excused."
reads   = ["findings.register"]
grain   = ["finding_id"]

[columns]
finding_id             = "varchar: hash of the rule and the subject; the same in every run"
rule_id                = "varchar: the rule"
severity               = "varchar: critical, high, medium, low or info"
source                 = "varchar: the source's name in the configuration"
subject_type           = "varchar: account, person, group, role, object (a dashboard or data model) or source"
subject_id             = "varchar: id of the subject"
display_name           = "varchar: name of the account, person, group or role"
account_id             = "varchar: the account, if the finding is about one"
email                  = "varchar: that account's e-mail address, or the person's"
title                  = "varchar: title of the rule"
detail                 = "varchar: the finding, in a sentence"
observed_value         = "varchar: the observed value"
threshold              = "varchar: the value or limit it was compared with"
evidence               = "varchar: further facts, as JSON"
controls               = "varchar: framework: controls"
recommended_action     = "varchar: what to do"
status                 = "varchar: open, accepted_risk or out_of_scope"
first_seen_snapshot_id = "varchar: the first snapshot that had it"
person_id              = "varchar: the person that the account belongs to, or that the finding is about"
first_seen_at          = "timestamp: when the extract of the first snapshot that had it ended, UTC; it stays the first after the finding came back"
age_days               = "integer: calendar days in UTC from first seen to as-of; 0 if first seen after as-of"
owner_email            = "varchar: who is to fix it: the owner of the account, group, role or object, but never the person that the finding is about; else the manager of the person, else default_owner under [policy]"
due_at                 = "date: last day to fix it: the days that [due_days] gives its severity after first seen, or after it came back if it was gone, or after as-of if that report was evaluated as of a later day; null for info"
overdue                = "boolean: it is open, and as-of is a later day than due_at"
*/
select
    finding_id, rule_id, severity, source, subject_type, subject_id, display_name, account_id, email, title, detail, observed_value,
    threshold, evidence::varchar as evidence, controls, recommended_action, status, first_seen_snapshot_id, person_id,
    first_seen_at, age_days, owner_email, due_at, overdue
from findings.register
