/*
summary = "One rule: its parameters in force and what it counted; population = passed + failed + unknown."
reads   = ["findings.rule_summary"]
grain   = ["rule_id"]

[columns]
rule_id     = "varchar: the rule"
title       = "varchar: the rule in a few words"
summary     = "varchar: what is wrong, in a sentence"
severity    = "varchar: its severity where a row does not say otherwise"
enabled     = "boolean: false if the configuration switches it off"
parameters  = "varchar: parameters in force"
population  = "bigint: objects it is about; null if switched off"
failed      = "bigint: those that fail, excused ones too"
unknown     = "bigint: those that could not be judged"
passed      = "bigint: the rest"
controls    = "varchar: framework: controls"
remediation = "varchar: what to do"
sql_sha256  = "varchar: hash of the rule's file"
*/
select
    rule_id, title, summary, severity, enabled, parameters, population, failed, unknown, passed, controls, remediation,
    sql_sha256
from findings.rule_summary
order by rule_id
