/*
summary = "One rule and the controls it gives evidence for, with one column per framework."
reads   = ["findings.rule_summary", "reports.rule_results"]
grain   = ["rule_id"]

[columns]
rule_id       = "varchar: the rule"
title         = "varchar: title of the rule"
severity      = "varchar: its severity, unless a finding has its own"
outcome       = "varchar: found, excused, passed, partly, unknown, empty or off"
open_findings = "bigint: open findings"
soc2          = "varchar: SOC 2 trust services criteria"
iso27001      = "varchar: ISO 27001:2022 annex A"
pci           = "varchar: PCI DSS 4.0.1"
nist          = "varchar: NIST 800-53 revision 5"
cis           = "varchar: CIS Controls version 8"
hipaa         = "varchar: HIPAA security rule, 164.308"
*/
select
    rules.rule_id,
    rules.title,
    rules.severity,
    results.outcome,
    results.open_findings,
    nullif(regexp_extract(rules.controls, '(^|; )soc2: ([^;]+)', 2), '') as soc2,
    nullif(regexp_extract(rules.controls, '(^|; )iso27001: ([^;]+)', 2), '') as iso27001,
    nullif(regexp_extract(rules.controls, '(^|; )pci: ([^;]+)', 2), '') as pci,
    nullif(regexp_extract(rules.controls, '(^|; )nist: ([^;]+)', 2), '') as nist,
    nullif(regexp_extract(rules.controls, '(^|; )cis: ([^;]+)', 2), '') as cis,
    nullif(regexp_extract(rules.controls, '(^|; )hipaa: ([^;]+)', 2), '') as hipaa
from findings.rule_summary as rules
join reports.rule_results as results on results.rule_id = rules.rule_id

/* example
name = "each framework has its column, whatever its place in the list"
given."findings.rule_summary" = [ { rule_id = "r", title = "R", severity = "low", enabled = true, controls = "soc2: CC6.2; nist: AC-2(3), AC-6(7)" } ]
given."reports.rule_results" = [ { rule_id = "r", outcome = "passed", open_findings = 0 } ]
expect = [ { rule_id = "r", outcome = "passed", soc2 = "CC6.2", nist = "AC-2(3), AC-6(7)", pci = "<null>" } ]
*/
