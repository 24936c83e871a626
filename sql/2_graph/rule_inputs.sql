/*
summary = "One input that rules may need and a snapshot may lack. A rule names the one it needs in its header."
reads   = ["graph.people", "graph.review_campaigns", "graph.provider_accounts", "graph.object_lists", "baseline.snapshot"]
grain   = ["input"]

[columns]
input      = "varchar: roster, baseline, campaign, provider, objects, mailed_reports or sign_on"
is_present = "boolean: the build has it"
reason     = "varchar: why rules that need it are not evaluated without it"
*/
with

-- A list that was read may be empty, and one that was not read to its end is not missing.
read_lists as (
    select distinct list from graph.object_lists where state in ('FULL', 'PARTIAL')
)

select 'roster' as input, count(*) > 0 as is_present, 'no roster was given' as reason from graph.people
union all
select 'baseline', count(*) > 0, 'there is no earlier snapshot to compare with' from baseline.snapshot
union all
select 'campaign', count(*) > 0, 'there has been no review yet' from graph.review_campaigns
union all
select 'provider', count(*) > 0, 'no identity provider was read' from graph.provider_accounts
union all
select 'objects', count(*) > 0, 'no dashboards and data models were read'
from read_lists
where list in ('dashboards', 'models')
union all
select 'mailed_reports', count(*) > 0, 'no list of reports that are sent by mail was read'
from read_lists
where list = 'mailed_reports'
union all
select 'sign_on', count(*) > 0, 'the settings of single sign-on and of the lockout were not read'
from read_lists
where list = 'sign_on'

/* example
name = "an input without a row is missing"
given."graph.people" = [ { person_id = "p" } ]
given."graph.object_lists" = [
  { source = "s", list = "dashboards", state = "FULL" }, { source = "s", list = "mailed_reports", state = "NOT_AVAILABLE" },
  { source = "s", list = "sign_on", state = "PARTIAL" },
]
expect = [
  { input = "roster", is_present = true }, { input = "baseline", is_present = false },
  { input = "campaign", is_present = false }, { input = "provider", is_present = false },
  { input = "objects", is_present = true },
  { input = "mailed_reports", is_present = false, reason = "no list of reports that are sent by mail was read" },
  { input = "sign_on", is_present = true },
]
*/
