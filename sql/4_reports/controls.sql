/*
summary = "One control of one framework: how many rules give evidence for it, and what they found."
reads   = ["reports.control_matrix"]
grain   = ["framework", "control"]

[columns]
framework     = "varchar: soc2, iso27001, pci, nist, cis or hipaa"
control       = "varchar: the control as the framework numbers it"
rules         = "bigint: rules that name it"
found         = "bigint: those with an open finding"
not_judged    = "bigint: those that were not evaluated or are switched off"
open_findings = "bigint: their open findings"
*/
with

rule_controls as (
    select 'soc2' as framework, unnest(string_split(soc2, ', ')) as control, outcome, open_findings from reports.control_matrix
    union all
    select 'iso27001', unnest(string_split(iso27001, ', ')), outcome, open_findings from reports.control_matrix
    union all
    select 'pci', unnest(string_split(pci, ', ')), outcome, open_findings from reports.control_matrix
    union all
    select 'nist', unnest(string_split(nist, ', ')), outcome, open_findings from reports.control_matrix
    union all
    select 'cis', unnest(string_split(cis, ', ')), outcome, open_findings from reports.control_matrix
    union all
    select 'hipaa', unnest(string_split(hipaa, ', ')), outcome, open_findings from reports.control_matrix
)

select
    framework,
    control,
    count(*) as rules,
    count(*) filter (where outcome = 'found') as found,
    count(*) filter (where outcome in ('unknown', 'empty', 'off')) as not_judged,
    cast(sum(open_findings) as bigint) as open_findings
from rule_controls
group by framework, control

/* example
name = "a control counts all its rules"
given."reports.control_matrix" = [
  { rule_id = "a", outcome = "found", open_findings = 2, soc2 = "CC6.2, CC6.3" },
  { rule_id = "b", outcome = "unknown", open_findings = 0, soc2 = "CC6.2" },
]
expect = [
  { framework = "soc2", control = "CC6.2", rules = 2, found = 1, not_judged = 1, open_findings = 2 },
  { framework = "soc2", control = "CC6.3", rules = 1, found = 1, not_judged = 0, open_findings = 2 },
]
*/
