/*
summary = "One input that rules may need and a snapshot may lack. A rule names the one it needs in its header."
reads   = ["graph.people", "graph.review_campaigns", "graph.provider_accounts", "graph.objects", "baseline.snapshot"]
grain   = ["input"]

[columns]
input      = "varchar: roster, baseline, campaign, provider or objects"
is_present = "boolean: the build has it"
reason     = "varchar: why rules that need it are not evaluated without it"
*/
select 'roster' as input, count(*) > 0 as is_present, 'no roster was given' as reason from graph.people
union all
select 'baseline', count(*) > 0, 'there is no earlier snapshot to compare with' from baseline.snapshot
union all
select 'campaign', count(*) > 0, 'there has been no review yet' from graph.review_campaigns
union all
select 'provider', count(*) > 0, 'no identity provider was read' from graph.provider_accounts
union all
select 'objects', count(*) > 0, 'no dashboards and data models were read' from graph.objects

/* example
name = "an input without a row is missing"
given."graph.people" = [ { person_id = "p" } ]
expect = [
  { input = "roster", is_present = true }, { input = "baseline", is_present = false },
  { input = "campaign", is_present = false }, { input = "provider", is_present = false },
  { input = "objects", is_present = false },
]
*/
