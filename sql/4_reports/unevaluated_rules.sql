/*
summary = "One rule that says nothing about this extract: it is switched off, or it could not be evaluated for anything; and why."
reads   = [
    "reports.rule_results", "findings.rule_summary", "reference.rules", "graph.people", "graph.review_campaigns",
    "graph.provider_accounts", "baseline.snapshot",
]
grain   = ["rule_id"]

[columns]
rule_id = "varchar: the rule"
title   = "varchar: what it looks for"
outcome = "varchar: not_evaluated or off"
reason  = "varchar: why, in words"
headline = "varchar: the number of the management summary that is missing with it"
*/
with

-- What a rule may need that need not be there. Each is one row, whether it is there or not.
inputs as (
    select 'roster' as input, count(*) > 0 as is_there, 'no roster was given' as reason from graph.people
    union all
    select 'baseline', count(*) > 0, 'there is no earlier extract to compare with' from baseline.snapshot
    union all
    select 'campaign', count(*) > 0, 'there has been no review yet' from graph.review_campaigns
    union all
    select 'provider', count(*) > 0, 'no identity provider was read' from graph.provider_accounts
)

select
    rules.rule_id,
    rules.title,
    case when results.outcome = 'off' then 'off' else 'not_evaluated' end as outcome,
    case
        when results.outcome = 'off' then 'the configuration switches it off'
        when not inputs.is_there then inputs.reason
        else 'the extract lacks the data for it'
    end as reason,
    header.headline
from findings.rule_summary as rules
join reports.rule_results as results on results.rule_id = rules.rule_id
left join reference.rules as header on header.rule_id = rules.rule_id
left join inputs on inputs.input = header.needs
-- Where what a rule needs is missing, nothing to examine is no result either.
where results.outcome in ('off', 'unknown') or (results.outcome = 'nobody' and not inputs.is_there)

/* example
name = "off; unknown for all; nothing to examine for want of a campaign. What has a result, or really nothing to examine, is not here"
given."reference.rules" = [
  { rule_id = "leavers", severity = "low", needs = "roster", headline = "leavers_active" }, { rule_id = "decisions", severity = "low", needs = "campaign" },
  { rule_id = "blind", severity = "low" }, { rule_id = "off", severity = "low" }, { rule_id = "passed", severity = "low", needs = "roster" },
  { rule_id = "nobody", severity = "low", needs = "baseline" },
]
given."baseline.snapshot" = [ { snapshot_id = "b", build_id = "b", as_of = 2025-01-01T00:00:00Z, finished_at = 2025-01-01T00:00:00Z } ]
given."findings.rule_summary" = [
  { rule_id = "leavers", title = "Leavers" }, { rule_id = "decisions", title = "Decisions" }, { rule_id = "blind", title = "Blind" },
  { rule_id = "off", title = "Off" }, { rule_id = "passed", title = "Passed" }, { rule_id = "nobody", title = "Nobody" },
]
given."reports.rule_results" = [
  { rule_id = "leavers", outcome = "unknown" }, { rule_id = "decisions", outcome = "nobody" }, { rule_id = "blind", outcome = "unknown" },
  { rule_id = "off", outcome = "off" }, { rule_id = "passed", outcome = "passed" }, { rule_id = "nobody", outcome = "nobody" },
]
expect = [
  { rule_id = "leavers", outcome = "not_evaluated", reason = "no roster was given", headline = "leavers_active" },
  { rule_id = "decisions", outcome = "not_evaluated", reason = "there has been no review yet", headline = "<null>" },
  { rule_id = "blind", outcome = "not_evaluated", reason = "the extract lacks the data for it" },
  { rule_id = "off", outcome = "off", reason = "the configuration switches it off" },
]
*/
