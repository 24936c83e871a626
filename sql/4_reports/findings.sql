/*
summary = "One finding, open or excused."
reads   = ["findings.register"]
grain   = ["finding_id"]

[columns]
finding_id             = "varchar: hash of the rule and of what it is about; the same in every run"
rule_id                = "varchar: the rule"
severity               = "varchar: critical, high, medium, low or info"
source                 = "varchar: the source's name in the configuration"
subject_type           = "varchar: account, person, group, role or source"
subject_id             = "varchar: its id"
display_name           = "varchar: what people call it: the account's, person's, group's or role's name"
account_id             = "varchar: the account, where it is about one"
email                  = "varchar: that account's e-mail address, or the person's"
title                  = "varchar: the rule in a few words"
detail                 = "varchar: what was found, in a sentence"
observed_value         = "varchar: what was observed"
threshold              = "varchar: what it was held against"
evidence               = "varchar: more facts, as JSON"
controls               = "varchar: framework: controls"
recommended_action     = "varchar: what to do"
status                 = "varchar: open, accepted_risk or out_of_scope"
first_seen_snapshot_id = "varchar: the first extract that had it"
*/
select
    finding_id, rule_id, severity, source, subject_type, subject_id, display_name, account_id, email, title, detail, observed_value,
    threshold, evidence::varchar as evidence, controls, recommended_action, status, first_seen_snapshot_id
from findings.register
