/*
title       = "Shared with everyone"
summary     = "A dashboard or data model that is shared with a built-in group that holds all accounts."
severity    = "low"
population  = """
select source, object_type, object_id from graph.objects where object_type in ('dashboard', 'model')
union all
select source, object_type, object_id from graph.missing_objects where object_type in ('dashboard', 'model')
"""
reads       = ["graph.objects", "graph.missing_objects", "graph.object_grants"]
grain       = ["source", "object_type", "object_id"]
needs       = "objects"
remediation = "Share it with the groups that need it instead, or record why all accounts may open it."

[controls]
soc2     = ["CC6.1", "CC6.3"]
iso27001 = ["A.5.15", "A.8.3"]
pci      = ["7.2.1"]
nist     = ["AC-3", "AC-6"]
*/
with

open_grants as (
    select
        source, object_type, object_id, bool_or(level = 'edit') as may_edit, max(accounts_reached) as accounts_reached
    from graph.object_grants
    where granted_to_type = 'everyone'
    group by source, object_type, object_id
),

verdicts as (
    select
        object.source, object.object_type, object.object_id, object.object_name, object.is_sensitive, object.sensitivity,
        open_grant.may_edit, open_grant.accounts_reached,
        case
            when open_grant.object_id is not null then 'failed'
            when object.has_shares is distinct from true then 'unknown'
        end as verdict
    from graph.objects as object
    left join open_grants as open_grant
        on open_grant.source = object.source and open_grant.object_type = object.object_type
        and open_grant.object_id = object.object_id
    where object.object_type in ('dashboard', 'model')
)

select
    source,
    object_type,
    object_id,
    verdict,
    case when is_sensitive then 'high' else 'low' end as severity,
    'Every account can ' || case when may_edit then 'edit' when object_type = 'model' then 'query' else 'open' end
        || ' the ' || replace(object_type, 'model', 'data model') || ' ' || object_name || '.'
        || case when is_sensitive then ' It is labelled ' || sensitivity || '.' else '' end as detail,
    'open to ' || counted(accounts_reached, 'active account') as observed_value,
    'open to those who need it' as threshold
from verdicts
where verdict is not null
union all
select source, object_type, object_id, 'unknown', null, null, null, null
from graph.missing_objects
where object_type in ('dashboard', 'model')

/* example
name = "a share with everyone fails, on a sensitive object it is high; shares with other groups pass; unread shares are not evaluated"
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "1", object_name = "Sales", is_sensitive = false, has_shares = true },
  { source = "s", object_type = "model", object_id = "1", object_name = "Pay", is_sensitive = true, sensitivity = "secret", has_shares = true },
  { source = "s", object_type = "dashboard", object_id = "group", object_name = "Costs", is_sensitive = true, sensitivity = "secret", has_shares = true },
  { source = "s", object_type = "dashboard", object_id = "unread", object_name = "Stock", is_sensitive = false, has_shares = false },
  { source = "s", object_type = "folder", object_id = "folder", object_name = "Boards", is_sensitive = false, has_shares = false },
]
given."graph.object_grants" = [
  { source = "s", object_type = "dashboard", object_id = "1", level = "view", granted_to_type = "everyone", granted_to_id = "e", accounts_reached = 1 },
  { source = "s", object_type = "model", object_id = "1", level = "edit", granted_to_type = "everyone", granted_to_id = "e", accounts_reached = 2 },
  { source = "s", object_type = "dashboard", object_id = "group", level = "edit", granted_to_type = "group", granted_to_id = "g", accounts_reached = 2 },
]
expect = [
  { object_type = "dashboard", object_id = "1", verdict = "failed", severity = "low", detail = "Every account can open the dashboard Sales.", observed_value = "open to 1 active account" },
  { object_type = "model", object_id = "1", verdict = "failed", severity = "high", detail = "Every account can edit the data model Pay. It is labelled secret." },
  { object_type = "dashboard", object_id = "unread", verdict = "unknown" },
]
population = 4
*/
/* example
name = "objects that may be missing from their list are not evaluated; those that were read are"
given."graph.missing_objects" = [
  { source = "s", object_type = "dashboard", object_id = "" }, { source = "s", object_type = "model", object_id = "" },
  { source = "s", object_type = "mailed report", object_id = "" },
]
given."graph.objects" = [ { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales", is_sensitive = true, sensitivity = "secret", is_public = false, has_shares = true, owner_id = "a" } ]
expect = [ { object_type = "dashboard", object_id = "", verdict = "unknown" }, { object_type = "model", object_id = "", verdict = "unknown" } ]
population = 3
*/
