/*
title       = "Open data model without row rules"
summary     = "A data model that every account can query and that has no row rules, so that everyone sees all of its rows."
severity    = "medium"
population  = """
select source, object_type, object_id from graph.objects where object_type = 'model'
union all
select source, object_type, object_id from graph.missing_objects where object_type = 'model'
"""
reads       = ["graph.objects", "graph.missing_objects", "graph.object_grants", "graph.row_access"]
grain       = ["source", "object_type", "object_id"]
needs       = "objects"
remediation = "Add row rules to the data model, or share it with the groups that need it instead of with everyone."

[controls]
soc2     = ["CC6.1", "CC6.3"]
iso27001 = ["A.8.3"]
nist     = ["AC-3", "AC-6"]
*/
with

open_models as (
    select distinct source, object_id from graph.object_grants where object_type = 'model' and granted_to_type = 'everyone'
),

-- A model with unreadable rules has a row of access 'not_known', which is no rule.
ruled_models as (
    select distinct source, model_id from graph.row_access where column_name <> '' or access <> 'not_known'
),

verdicts as (
    select
        model.source, model.object_type, model.object_id, model.object_name, model.is_sensitive, model.sensitivity,
        case
            when ruled.model_id is not null then null
            when open_model.object_id is null and model.has_shares then null
            when open_model.object_id is null or model.has_row_rules is distinct from true then 'unknown'
            else 'failed'
        end as verdict
    from graph.objects as model
    left join open_models as open_model on open_model.source = model.source and open_model.object_id = model.object_id
    left join ruled_models as ruled on ruled.source = model.source and ruled.model_id = model.object_id
    where model.object_type = 'model'
)

select
    source,
    object_type,
    object_id,
    verdict,
    case when is_sensitive then 'high' else 'medium' end as severity,
    'Every account can query all rows of the data model ' || object_name || ', because it has no row rules.'
        || case when is_sensitive then ' It is labelled ' || sensitivity || '.' else '' end as detail,
    'no row rules' as observed_value,
    'row rules, or not open to everyone' as threshold
from verdicts
where verdict is not null
union all
select source, object_type, object_id, 'unknown', null, null, null, null
from graph.missing_objects
where object_type = 'model'

/* example
name = "an open model without rules fails, a sensitive one is high; rules or a narrower share pass; unread shares or rules are not evaluated"
given."graph.objects" = [
  { source = "s", object_type = "model", object_id = "open", object_name = "Orders", is_sensitive = false, has_shares = true, has_row_rules = true },
  { source = "s", object_type = "model", object_id = "sensitive", object_name = "Pay", is_sensitive = true, sensitivity = "secret", has_shares = true, has_row_rules = true },
  { source = "s", object_type = "model", object_id = "ruled", object_name = "Stock", is_sensitive = true, has_shares = true, has_row_rules = true },
  { source = "s", object_type = "model", object_id = "narrow", object_name = "Costs", is_sensitive = true, has_shares = true, has_row_rules = true },
  { source = "s", object_type = "model", object_id = "no rules read", object_name = "Leads", is_sensitive = false, has_shares = true, has_row_rules = false },
  { source = "s", object_type = "model", object_id = "no shares read", object_name = "Visits", is_sensitive = false, has_shares = false, has_row_rules = true },
]
given."graph.object_grants" = [
  { source = "s", object_type = "model", object_id = "open", level = "use", granted_to_type = "everyone", granted_to_id = "e" },
  { source = "s", object_type = "model", object_id = "sensitive", level = "use", granted_to_type = "everyone", granted_to_id = "e" },
  { source = "s", object_type = "model", object_id = "ruled", level = "use", granted_to_type = "everyone", granted_to_id = "e" },
  { source = "s", object_type = "model", object_id = "narrow", level = "use", granted_to_type = "group", granted_to_id = "g" },
  { source = "s", object_type = "model", object_id = "no rules read", level = "use", granted_to_type = "everyone", granted_to_id = "e" },
]
given."graph.row_access" = [
  { source = "s", model_id = "ruled", table_name = "T", column_name = "C", granted_to_type = "group", granted_to_id = "g", access = "some" },
  { source = "s", model_id = "no rules read", table_name = "", column_name = "", granted_to_type = "default", granted_to_id = "", access = "not_known" },
]
expect = [
  { object_id = "open", verdict = "failed", severity = "medium" },
  { object_id = "sensitive", verdict = "failed", severity = "high" },
  { object_id = "no rules read", verdict = "unknown" },
  { object_id = "no shares read", verdict = "unknown" },
]
population = 6
*/
/* example
name = "data models that may be missing from their list are not evaluated; those that were read are"
given."graph.missing_objects" = [
  { source = "s", object_type = "dashboard", object_id = "" }, { source = "s", object_type = "model", object_id = "" },
  { source = "s", object_type = "mailed report", object_id = "" },
]
given."graph.objects" = [ { source = "s", object_type = "model", object_id = "m", object_name = "Orders", is_sensitive = false, has_shares = true, has_row_rules = true } ]
expect = [ { object_type = "model", object_id = "", verdict = "unknown" } ]
population = 2
*/
