/*
title       = "Dashboard or data model without owner"
summary     = "A dashboard or data model whose owner's account no longer exists."
severity    = "medium"
population  = """
select source, object_type, object_id from graph.objects
where object_type = 'dashboard' or (object_type = 'model' and (owner_id is not null or kind = 'live'))
union all
select source, object_type, object_id from graph.missing_objects where object_type in ('dashboard', 'model')
"""
reads       = ["graph.objects", "graph.missing_objects", "graph.accounts"]
grain       = ["source", "object_type", "object_id"]
needs       = "objects"
remediation = "Give it a new owner who answers for its content and its sharing, or delete it."

[controls]
soc2     = ["CC6.2"]
iso27001 = ["A.5.9"]
nist     = ["CM-8"]
*/
with

verdicts as (
    select
        object.source, object.object_type, object.object_id, object.object_name, object.is_sensitive, object.sensitivity,
        object.owner_id,
        case when object.owner_id is null then 'unknown' when owner.account_id is null then 'failed' end as verdict
    from graph.objects as object
    left join graph.accounts as owner on owner.source = object.source and owner.account_id = object.owner_id
    -- The source does not name the creators of extract models.
    where object.object_type = 'dashboard'
        or (object.object_type = 'model' and (object.owner_id is not null or object.kind = 'live'))
)

select
    source,
    object_type,
    object_id,
    verdict,
    case when is_sensitive then 'high' else 'medium' end as severity,
    'The account that owns the ' || replace(object_type, 'model', 'data model') || ' ' || object_name || ' no longer exists.'
        || case when is_sensitive then ' It is labelled ' || sensitivity || '.' else '' end as detail,
    'account ' || owner_id as observed_value,
    'an account that exists' as threshold
from verdicts
where verdict is not null
union all
select source, object_type, object_id, 'unknown', null, null, null, null
from graph.missing_objects
where object_type in ('dashboard', 'model')

/* example
name = "an owner who does not exist fails, in the same source only; an object without owner is not evaluated; extract models have none"
given."graph.accounts" = [ { source = "s", account_id = "a" }, { source = "t", account_id = "gone" } ]
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "gone", object_name = "Sales", owner_id = "gone", is_sensitive = false },
  { source = "s", object_type = "model", object_id = "gone", object_name = "Pay", owner_id = "gone", kind = "live", is_sensitive = true, sensitivity = "secret" },
  { source = "s", object_type = "dashboard", object_id = "owned", object_name = "Costs", owner_id = "a", is_sensitive = true },
  { source = "s", object_type = "dashboard", object_id = "no owner", object_name = "Stock", is_sensitive = false },
  { source = "s", object_type = "model", object_id = "extract", object_name = "Orders", kind = "extract", is_sensitive = false },
  { source = "s", object_type = "folder", object_id = "folder", object_name = "Boards", owner_id = "gone", is_sensitive = false },
]
expect = [
  { object_type = "dashboard", object_id = "gone", verdict = "failed", severity = "medium", detail = "The account that owns the dashboard Sales no longer exists." },
  { object_type = "model", object_id = "gone", verdict = "failed", severity = "high" },
  { object_type = "dashboard", object_id = "no owner", verdict = "unknown" },
]
population = 4
*/
/* example
name = "objects that may be missing from their list are not evaluated; those that were read are"
given."graph.missing_objects" = [
  { source = "s", object_type = "dashboard", object_id = "" }, { source = "s", object_type = "model", object_id = "" },
  { source = "s", object_type = "mailed report", object_id = "" },
]
given."graph.accounts" = [ { source = "s", account_id = "a", status = "active" } ]
given."graph.objects" = [ { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales", is_sensitive = true, sensitivity = "secret", is_public = false, has_shares = true, owner_id = "a" } ]
expect = [ { object_type = "dashboard", object_id = "", verdict = "unknown" }, { object_type = "model", object_id = "", verdict = "unknown" } ]
population = 3
*/
