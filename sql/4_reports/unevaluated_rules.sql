/*
summary = "One rule without a result for this snapshot, because it is switched off or could not be evaluated, with the reason."
reads   = ["reports.rule_results", "findings.rule_summary", "reference.rules", "graph.rule_inputs"]
grain   = ["rule_id"]

[columns]
rule_id = "varchar: the rule"
title   = "varchar: its title"
outcome = "varchar: not_evaluated or off"
reason  = "varchar: the reason, in words"
headline = "varchar: the number of the management summary that is missing with it"
*/
select
    rules.rule_id,
    rules.title,
    case when results.outcome = 'off' then 'off' else 'not_evaluated' end as outcome,
    case
        when results.outcome = 'off' then 'the configuration switches it off'
        when not inputs.is_present then inputs.reason
        else 'the data is missing from the extract'
    end as reason,
    header.headline
from findings.rule_summary as rules
join reports.rule_results as results on results.rule_id = rules.rule_id
left join reference.rules as header on header.rule_id = rules.rule_id
left join graph.rule_inputs as inputs on inputs.input = header.needs
where results.outcome in ('off', 'unknown')

/* example
name = "rules that are off, unknown for all, or without a campaign are listed; rules with a result or a truly empty population are not"
given."reference.rules" = [
  { rule_id = "leavers", severity = "low", needs = "roster", headline = "leavers_active" }, { rule_id = "decisions", severity = "low", needs = "campaign" },
  { rule_id = "blind", severity = "low" }, { rule_id = "off", severity = "low" }, { rule_id = "passed", severity = "low", needs = "roster" },
  { rule_id = "nobody", severity = "low", needs = "baseline" },
]
given."graph.rule_inputs" = [
  { input = "roster", is_present = false, reason = "no roster was given" }, { input = "baseline", is_present = true, reason = "" },
  { input = "campaign", is_present = false, reason = "there has been no review yet" },
]
given."findings.rule_summary" = [
  { rule_id = "leavers", title = "Leavers" }, { rule_id = "decisions", title = "Decisions" }, { rule_id = "blind", title = "Blind" },
  { rule_id = "off", title = "Off" }, { rule_id = "passed", title = "Passed" }, { rule_id = "nobody", title = "Nobody" },
]
given."reports.rule_results" = [
  { rule_id = "leavers", outcome = "unknown" }, { rule_id = "decisions", outcome = "unknown" }, { rule_id = "blind", outcome = "unknown" },
  { rule_id = "off", outcome = "off" }, { rule_id = "passed", outcome = "passed" }, { rule_id = "nobody", outcome = "nobody" },
]
expect = [
  { rule_id = "leavers", outcome = "not_evaluated", reason = "no roster was given", headline = "leavers_active" },
  { rule_id = "decisions", outcome = "not_evaluated", reason = "there has been no review yet", headline = "<null>" },
  { rule_id = "blind", outcome = "not_evaluated", reason = "the data is missing from the extract" },
  { rule_id = "off", outcome = "off", reason = "the configuration switches it off" },
]
*/
