/*
summary = "One rule: its parameters in force and what it counted; population = passed + failed + unknown."
reads   = ["findings.rule_summary"]
grain   = ["rule_id"]

[columns]
rule_id     = "varchar: the rule"
title       = "varchar: title of the rule"
summary     = "varchar: what is wrong, in a sentence"
severity    = "varchar: its severity, unless a finding has its own"
enabled     = "boolean: false if the configuration switches it off"
parameters  = "varchar: parameters in force"
population  = "bigint: size of the population; null if switched off"
failed      = "bigint: members that failed, including excused ones"
unknown     = "bigint: members that were not evaluated"
passed      = "bigint: members that passed"
controls    = "varchar: framework: controls"
remediation = "varchar: what to do"
sql_sha256  = "varchar: SHA-256 of the rule's file"
*/
select
    rule_id, title, summary, severity, enabled, parameters, population, failed, unknown, passed, controls, remediation,
    sql_sha256
from findings.rule_summary
