/*
title       = "Public dashboard"
summary     = "A dashboard that anyone with the link can open, without an account."
severity    = "high"
population  = """
select source, object_type, object_id from graph.objects where object_type = 'dashboard'
union all
select source, object_type, object_id from graph.missing_objects where object_type = 'dashboard'
"""
reads       = ["graph.objects", "graph.missing_objects"]
grain       = ["source", "object_type", "object_id"]
needs       = "objects"
remediation = "Turn off public access in the dashboard's sharing settings, or record who approved it and for how long."

[controls]
soc2     = ["CC6.1"]
iso27001 = ["A.5.15", "A.8.3"]
nist     = ["AC-3", "AC-22"]
*/
with

verdicts as (
    select
        *,
        case when is_public then 'failed' when is_public is null then 'unknown' end as verdict
    from graph.objects
    where object_type = 'dashboard'
)

select
    source,
    object_type,
    object_id,
    verdict,
    case when is_sensitive then 'critical' else 'high' end as severity,
    'Anyone with the link can open the dashboard ' || object_name || '.'
        || case when is_sensitive then ' It is labelled ' || sensitivity || '.' else '' end as detail,
    'public' as observed_value,
    'only for accounts' as threshold
from verdicts
where verdict is not null
union all
select source, object_type, object_id, 'unknown', null, null, null, null
from graph.missing_objects
where object_type = 'dashboard'

/* example
name = "a public dashboard fails, a sensitive one is critical; other objects are not examined"
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "open", object_name = "Sales", is_public = true, is_sensitive = false },
  { source = "s", object_type = "dashboard", object_id = "sensitive", object_name = "Pay", is_public = true, is_sensitive = true, sensitivity = "confidential" },
  { source = "s", object_type = "dashboard", object_id = "closed", object_name = "Costs", is_public = false, is_sensitive = true },
  { source = "s", object_type = "model", object_id = "model", object_name = "Orders", is_sensitive = false },
]
expect = [
  { object_id = "open", verdict = "failed", severity = "high", detail = "Anyone with the link can open the dashboard Sales." },
  { object_id = "sensitive", verdict = "failed", severity = "critical", detail = "Anyone with the link can open the dashboard Pay. It is labelled confidential." },
]
population = 3
*/
/* example
name = "a dashboard is not evaluated if the source does not say whether it is public"
given."graph.objects" = [ { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales" } ]
expect = [ { object_id = "d", verdict = "unknown" } ]
population = 1
*/
/* example
name = "without dashboards nothing is examined"
expect = []
population = 0
*/
/* example
name = "dashboards that may be missing from their list are not evaluated; those that were read are"
given."graph.missing_objects" = [
  { source = "s", object_type = "dashboard", object_id = "" }, { source = "s", object_type = "model", object_id = "" },
  { source = "s", object_type = "mailed report", object_id = "" },
]
given."graph.objects" = [ { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales", is_sensitive = true, sensitivity = "secret", is_public = false, has_shares = true, owner_id = "a" } ]
expect = [ { object_type = "dashboard", object_id = "", verdict = "unknown" } ]
population = 2
*/
