/*
title       = "Row rule bypassed"
summary     = "A data model where the default rule of a column shows all rows although other rules restrict them, or where an account's own rule shows more rows than the rules of its groups."
severity    = "medium"
population  = """
select source, object_type, object_id from graph.objects where object_type = 'model'
union all
select source, object_type, object_id from graph.missing_objects where object_type = 'model'
"""
reads       = ["graph.objects", "graph.missing_objects", "graph.row_access", "graph.own_row_access", "graph.accounts"]
grain       = ["source", "object_type", "object_id", "table_name", "column_name", "party_id"]
needs       = "objects"
remediation = "Let the default rule show nothing, and give each account its rows through groups; or record why the exception is needed."

[controls]
soc2     = ["CC6.1", "CC6.3"]
iso27001 = ["A.8.3"]
nist     = ["AC-3", "AC-6"]
*/
with

open_defaults as (
    select
        source, model_id, table_name, column_name,
        count(*) filter (where granted_to_type <> 'default' and access in ('nothing', 'some', 'all_but')) as restrictions,
        bool_or(granted_to_type = 'default' and access = 'everything') as is_open,
        bool_or(access = 'not_known') as has_unread_rules
    from graph.row_access
    group by source, model_id, table_name, column_name
    having
        bool_or(granted_to_type = 'default' and access = 'everything')
        -- without a column: the rules of the whole model could not be read, see below
        or bool_or(granted_to_type = 'default' and access = 'not_known' and column_name <> '')
),

bypasses as (
    select
        source, model_id, table_name, column_name, '' as party_id, null as account_name, restrictions,
        case when is_open and restrictions > 0 then 'failed' else 'unknown' end as verdict
    from open_defaults
    where restrictions > 0 or has_unread_rules
    union all
    select
        own.source, own.model_id, own.table_name, own.column_name, own.account_id,
        coalesce(account.display_name, own.account_id), null, case when own.is_wider then 'failed' else 'unknown' end
    from graph.own_row_access as own
    left join graph.accounts as account on account.source = own.source and account.account_id = own.account_id
    where own.is_wider or (own.group_access is not null and 'not_known' in (own.own_access, own.group_access))
    union all
    select source, object_id, '', '', '', null, null, 'unknown'
    from graph.objects
    where object_type = 'model' and has_row_rules is distinct from true
)

select
    found.source,
    model.object_type,
    model.object_id,
    found.table_name,
    found.column_name,
    found.party_id,
    nullif(found.party_id, '') as account_id,
    found.verdict,
    case when model.is_sensitive then 'high' else 'medium' end as severity,
    case
        when found.account_name is null then
            'In the data model ' || model.object_name || ', ' || counted(found.restrictions, 'rule')
            || case when found.restrictions = 1 then ' restricts' else ' restrict' end || ' accounts or groups by ' || found.table_name || '.'
            || found.column_name || ', but the default rule shows all rows to everybody else.'
        else
            'In the data model ' || model.object_name || ', ' || found.account_name || ' has a row rule of their own for '
            || found.table_name || '.' || found.column_name || ' that shows more rows than the rules of their groups.'
    end
        || case when model.is_sensitive then ' The data model is labelled ' || model.sensitivity || '.' else '' end as detail,
    case when found.account_name is null then 'all rows by default' else 'wider than the groups' end as observed_value,
    case when found.account_name is null then 'no rows by default' else 'within the groups' end as threshold
from bypasses as found
join graph.objects as model
    on model.source = found.source and model.object_type = 'model' and model.object_id = found.model_id
union all
select source, object_type, object_id, '', '', '', null, 'unknown', null, null, null, null
from graph.missing_objects
where object_type = 'model'

/* example
name = "all rows by default beside a restriction fail, and an own rule that is wider; no default, an overlap and unrestricted columns pass"
given."graph.accounts" = [ { source = "s", account_id = "a", display_name = "Ann" } ]
given."graph.objects" = [
  { source = "s", object_type = "model", object_id = "default", object_name = "Orders", is_sensitive = false, has_row_rules = true },
  { source = "s", object_type = "model", object_id = "wide", object_name = "Pay", is_sensitive = true, sensitivity = "secret", has_row_rules = true },
  { source = "s", object_type = "model", object_id = "fine", object_name = "Costs", is_sensitive = false, has_row_rules = true },
]
given."graph.row_access" = [
  { source = "s", model_id = "default", table_name = "T", column_name = "C", granted_to_type = "default", granted_to_id = "", access = "everything" },
  { source = "s", model_id = "default", table_name = "T", column_name = "C", granted_to_type = "group", granted_to_id = "g", access = "some" },
  { source = "s", model_id = "fine", table_name = "T", column_name = "C", granted_to_type = "group", granted_to_id = "g", access = "some" },
  { source = "s", model_id = "fine", table_name = "T", column_name = "D", granted_to_type = "default", granted_to_id = "", access = "everything" },
  { source = "s", model_id = "fine", table_name = "T", column_name = "D", granted_to_type = "group", granted_to_id = "g", access = "everything" },
]
given."graph.own_row_access" = [
  { source = "s", model_id = "wide", table_name = "T", column_name = "C", account_id = "a", own_access = "everything", group_access = "some", is_wider = true },
  { source = "s", model_id = "fine", table_name = "T", column_name = "C", account_id = "a", own_access = "some", group_access = "some", is_wider = false },
]
expect = [
  { object_id = "default", party_id = "", account_id = "<null>", verdict = "failed", severity = "medium", detail = "In the data model Orders, 1 rule restricts accounts or groups by T.C, but the default rule shows all rows to everybody else." },
  { object_id = "wide", party_id = "a", account_id = "a", verdict = "failed", severity = "high" },
]
population = 3
*/
/* example
name = "rules that cannot be read are not evaluated, unless a restriction beside the default is known"
given."graph.accounts" = [ { source = "s", account_id = "a", display_name = "Ann" } ]
given."graph.objects" = [
  { source = "s", object_type = "model", object_id = "unread", object_name = "Orders", is_sensitive = false, has_row_rules = false },
  { source = "s", object_type = "model", object_id = "perhaps", object_name = "Pay", is_sensitive = false, has_row_rules = true },
  { source = "s", object_type = "model", object_id = "own", object_name = "Costs", is_sensitive = false, has_row_rules = true },
  { source = "s", object_type = "model", object_id = "default", object_name = "Stock", is_sensitive = false, has_row_rules = true },
]
given."graph.row_access" = [
  { source = "s", model_id = "unread", table_name = "", column_name = "", granted_to_type = "default", granted_to_id = "", access = "not_known" },
  { source = "s", model_id = "default", table_name = "T", column_name = "C", granted_to_type = "default", granted_to_id = "", access = "not_known" },
  { source = "s", model_id = "default", table_name = "T", column_name = "C", granted_to_type = "group", granted_to_id = "g", access = "some" },
  { source = "s", model_id = "perhaps", table_name = "T", column_name = "C", granted_to_type = "default", granted_to_id = "", access = "everything" },
  { source = "s", model_id = "perhaps", table_name = "T", column_name = "C", granted_to_type = "group", granted_to_id = "g", access = "not_known" },
]
given."graph.own_row_access" = [
  { source = "s", model_id = "own", table_name = "T", column_name = "C", account_id = "a", own_access = "not_known", group_access = "some", is_wider = false },
]
expect = [
  { object_id = "unread", party_id = "", verdict = "unknown" },
  { object_id = "perhaps", party_id = "", verdict = "unknown" },
  { object_id = "own", party_id = "a", verdict = "unknown" },
  { object_id = "default", party_id = "", verdict = "unknown" },
]
population = 4
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
