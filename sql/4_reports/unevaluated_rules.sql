/*
summary = "One rule without a result for this snapshot, because it is switched off or could not be evaluated, with the reason."
reads   = [
    "reports.rule_results", "findings.rule_summary", "reference.rules", "graph.people", "graph.review_campaigns",
    "graph.provider_accounts", "graph.object_lists", "baseline.snapshot",
]
grain   = ["rule_id"]

[columns]
rule_id = "varchar: the rule"
title   = "varchar: its title"
outcome = "varchar: not_evaluated or off"
reason  = "varchar: the reason, in words"
headline = "varchar: the number of the management summary that is missing with it"
*/
with

-- Inputs that a rule may need and a snapshot may lack: one row each, present or not.
inputs as (
    select 'roster' as input, count(*) > 0 as is_present, 'no roster was given' as reason from graph.people
    union all
    select 'baseline', count(*) > 0, 'there is no earlier snapshot to compare with' from baseline.snapshot
    union all
    select 'campaign', count(*) > 0, 'there has been no review yet' from graph.review_campaigns
    union all
    select 'provider', count(*) > 0, 'no identity provider was read' from graph.provider_accounts
    union all
    select
        'objects', count(*) filter (where list in ('dashboards', 'models') and state in ('FULL', 'PARTIAL')) > 0,
        'no dashboards and data models were read'
    from graph.object_lists
    union all
    select
        'mailed_reports', count(*) filter (where list = 'mailed_reports' and state in ('FULL', 'PARTIAL')) > 0,
        'no reports that are sent by mail were read'
    from graph.object_lists
    union all
    select
        'sign_on', count(*) filter (where list = 'sign_on' and state in ('FULL', 'PARTIAL')) > 0,
        'the settings of single sign-on and of the lockout were not read'
    from graph.object_lists
)

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
left join inputs on inputs.input = header.needs
-- Without the input that it needs, a rule with an empty population has no result either.
where results.outcome in ('off', 'unknown') or (results.outcome = 'nobody' and not inputs.is_present)

/* example
name = "rules that are off, unknown for all, or without a campaign are listed; rules with a result or a truly empty population are not"
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
  { rule_id = "blind", outcome = "not_evaluated", reason = "the data is missing from the extract" },
  { rule_id = "off", outcome = "off", reason = "the configuration switches it off" },
]
*/
/* example
name = "rules about sign-on and mailed reports depend on lists of their own; a list without objects was read all the same"
given."reference.rules" = [
  { rule_id = "sign", severity = "low", needs = "sign_on" }, { rule_id = "mail", severity = "low", needs = "mailed_reports" },
  { rule_id = "public", severity = "low", needs = "objects" },
]
given."graph.object_lists" = [
  { source = "s", list = "dashboards", state = "FULL" }, { source = "s", list = "mailed_reports", state = "NOT_AVAILABLE" },
  { source = "s", list = "sign_on", state = "NOT_AVAILABLE" },
]
given."findings.rule_summary" = [ { rule_id = "sign", title = "Sign" }, { rule_id = "mail", title = "Mail" }, { rule_id = "public", title = "Public" } ]
given."reports.rule_results" = [
  { rule_id = "sign", outcome = "unknown" }, { rule_id = "mail", outcome = "unknown" }, { rule_id = "public", outcome = "nobody" },
]
expect = [
  { rule_id = "sign", reason = "the settings of single sign-on and of the lockout were not read" },
  { rule_id = "mail", reason = "no reports that are sent by mail were read" },
]
*/
