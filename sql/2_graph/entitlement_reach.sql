/*
summary = "What one role or group opens. Roles and groups that open nothing have no row."
reads   = ["graph.objects", "graph.object_grants", "graph.row_access"]
grain   = ["source", "entitlement_type", "entitlement_id"]

[columns]
source            = "varchar: the source's name in the configuration"
entitlement_type  = "varchar: role or group"
entitlement_id    = "varchar: id of the role or group"
dashboards        = "bigint: dashboards that it opens; for a role that reaches every dashboard, all of them"
dashboards_edited = "bigint: how many of them may be changed"
models            = "bigint: models that it opens; for a role that reaches every model, all of them"
models_edited     = "bigint: how many of them may be changed"
row_access        = "varchar: which rows of these models: all rows, some rows, no rows, or in how many models which; null for roles and without models"
summary           = "varchar: what it opens, in words: 14 dashboards, edits 2; data model Orders, some rows"
*/
with

granted as (
    select
        source, case granted_to_type when 'everyone' then 'group' else granted_to_type end as entitlement_type,
        granted_to_id as entitlement_id, object_type, object_id, level
    from graph.object_grants
    where granted_to_type in ('group', 'everyone', 'role')
),

object_counts as (
    select source, object_type, count(*) as objects from graph.objects group by source, object_type
),

counts as (
    select
        granted.source, granted.entitlement_type, granted.entitlement_id,
        bool_or(granted.object_id = '' and granted.object_type = 'dashboard') as has_every_dashboard,
        bool_or(granted.object_id = '' and granted.object_type = 'model') as has_every_model,
        coalesce(sum(case when granted.object_id = '' then every.objects else 1 end)
            filter (where granted.object_type = 'dashboard'), 0) as dashboards,
        coalesce(sum(case when granted.object_id = '' then every.objects else 1 end)
            filter (where granted.object_type = 'dashboard' and granted.level = 'edit'), 0) as dashboards_edited,
        coalesce(sum(case when granted.object_id = '' then every.objects else 1 end)
            filter (where granted.object_type = 'model'), 0) as models,
        coalesce(sum(case when granted.object_id = '' then every.objects else 1 end)
            filter (where granted.object_type = 'model' and granted.level = 'edit'), 0) as models_edited
    from granted
    left join object_counts as every on every.source = granted.source and every.object_type = granted.object_type
    group by granted.source, granted.entitlement_type, granted.entitlement_id
),

model_columns as (
    select distinct source, model_id, table_name, column_name from graph.row_access
),

-- Without a rule of its own for a column, the members have the default; without a default the column is open.
column_access as (
    select
        granted.source, granted.entitlement_id, granted.object_id as model_id,
        coalesce(own.access, by_default.access, 'everything') as access
    from granted
    left join model_columns as place on place.source = granted.source and place.model_id = granted.object_id
    left join graph.row_access as own
        on own.source = place.source and own.model_id = place.model_id and own.table_name = place.table_name
        and own.column_name = place.column_name and own.granted_to_type = 'group'
        and own.granted_to_id = granted.entitlement_id
    left join graph.row_access as by_default
        on by_default.source = place.source and by_default.model_id = place.model_id
        and by_default.table_name = place.table_name and by_default.column_name = place.column_name
        and by_default.granted_to_type = 'default'
    where granted.entitlement_type = 'group' and granted.object_type = 'model'
),

-- A row is seen only if every column lets it through.
model_access as (
    select
        source, entitlement_id, model_id,
        case
            when bool_or(access = 'nothing') then 'no rows'
            when bool_or(access = 'not_known') then 'rows not known'
            when bool_or(access in ('some', 'all_but')) then 'some rows'
            else 'all rows'
        end as access
    from column_access
    group by source, entitlement_id, model_id
),

access_counts as (
    select source, entitlement_id, access, count(*) as models from model_access group by source, entitlement_id, access
),

row_texts as (
    select
        source, entitlement_id,
        -- "some rows", or "all rows of 2, some rows of 1" if the models differ
        case
            when count(*) = 1 then min(access)
            else array_to_string(list_sort(list(access || ' of ' || models)), ', ')
        end as row_access
    from access_counts
    group by source, entitlement_id
),

-- A name says more to a reviewer than "1 dashboard".
only_objects as (
    select
        granted.source, granted.entitlement_type, granted.entitlement_id, granted.object_type,
        min(object.object_name) as object_name
    from granted
    join graph.objects as object
        on object.source = granted.source and object.object_type = granted.object_type
        and object.object_id = granted.object_id
    group by granted.source, granted.entitlement_type, granted.entitlement_id, granted.object_type
    having count(*) = 1
)

select
    counts.source,
    counts.entitlement_type,
    counts.entitlement_id,
    cast(counts.dashboards as bigint) as dashboards,
    cast(counts.dashboards_edited as bigint) as dashboards_edited,
    cast(counts.models as bigint) as models,
    cast(counts.models_edited as bigint) as models_edited,
    texts.row_access,
    case
        when counts.has_every_dashboard and counts.has_every_model then 'every dashboard and every data model'
        when counts.has_every_model then 'every data model'
        when counts.has_every_dashboard then 'every dashboard'
        else concat_ws(
            '; ',
            case
                when counts.dashboards = 1 and dashboard.object_name is not null then
                    'dashboard ' || dashboard.object_name
                    || case when counts.dashboards_edited > 0 then ', edits it' else '' end
                when counts.dashboards > 0 then
                    counted(counts.dashboards, 'dashboard')
                    || case when counts.dashboards_edited > 0 then ', edits ' || counts.dashboards_edited else '' end
            end,
            case
                when counts.models = 1 then
                    'data model ' || coalesce(model.object_name, '')
                    || case when counts.models_edited > 0 then ', edits it' else '' end || ', ' || texts.row_access
                when counts.models > 1 then
                    counts.models || ' data models'
                    || case when counts.models_edited > 0 then ', edits ' || counts.models_edited else '' end
                    || ', ' || texts.row_access
            end
        )
    end as summary
from counts
left join row_texts as texts
    on counts.entitlement_type = 'group' and texts.source = counts.source and texts.entitlement_id = counts.entitlement_id
left join only_objects as dashboard
    on dashboard.object_type = 'dashboard' and dashboard.source = counts.source
    and dashboard.entitlement_type = counts.entitlement_type and dashboard.entitlement_id = counts.entitlement_id
left join only_objects as model
    on model.object_type = 'model' and model.source = counts.source
    and model.entitlement_type = counts.entitlement_type and model.entitlement_id = counts.entitlement_id

/* example
name = "groups: dashboards and models that are edited, and rows by the group's own rules, else the default, else all"
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "1", object_name = "Sales" },
  { source = "s", object_type = "model", object_id = "m", object_name = "Orders" }, { source = "s", object_type = "model", object_id = "n", object_name = "Stock" },
  { source = "s", object_type = "model", object_id = "o", object_name = "Open" },
]
given."graph.object_grants" = [
  { source = "s", object_type = "dashboard", object_id = "1", level = "view", granted_to_type = "group", granted_to_id = "sales" },
  { source = "s", object_type = "dashboard", object_id = "2", level = "edit", granted_to_type = "group", granted_to_id = "sales" },
  { source = "s", object_type = "model", object_id = "m", level = "use", granted_to_type = "group", granted_to_id = "sales" },
  { source = "s", object_type = "dashboard", object_id = "1", level = "view", granted_to_type = "everyone", granted_to_id = "all" },
  { source = "s", object_type = "model", object_id = "m", level = "read", granted_to_type = "group", granted_to_id = "finance" },
  { source = "s", object_type = "model", object_id = "n", level = "use", granted_to_type = "group", granted_to_id = "finance" },
  { source = "s", object_type = "model", object_id = "o", level = "edit", granted_to_type = "group", granted_to_id = "finance" },
  { source = "s", object_type = "model", object_id = "o", level = "edit", granted_to_type = "group", granted_to_id = "builders" },
  { source = "s", object_type = "dashboard", object_id = "1", level = "view", granted_to_type = "account", granted_to_id = "a" },
]
given."graph.row_access" = [
  { source = "s", model_id = "m", table_name = "T", column_name = "C", granted_to_type = "group", granted_to_id = "sales", access = "some", value_count = 2 },
  { source = "s", model_id = "m", table_name = "T", column_name = "C", granted_to_type = "default", granted_to_id = "", access = "nothing" },
  { source = "s", model_id = "n", table_name = "T", column_name = "C", granted_to_type = "group", granted_to_id = "sales", access = "all_but", value_count = 1 },
  { source = "t", model_id = "o", table_name = "T", column_name = "C", granted_to_type = "default", granted_to_id = "", access = "nothing" },
]
expect = [
  { entitlement_type = "group", entitlement_id = "sales", dashboards = 2, dashboards_edited = 1, models = 1, models_edited = 0, row_access = "some rows", summary = "2 dashboards, edits 1; data model Orders, some rows" },
  { entitlement_type = "group", entitlement_id = "all", dashboards = 1, dashboards_edited = 0, models = 0, models_edited = 0, row_access = "<null>", summary = "dashboard Sales" },
  { entitlement_type = "group", entitlement_id = "finance", dashboards = 0, dashboards_edited = 0, models = 3, models_edited = 1, row_access = "all rows of 2, no rows of 1", summary = "3 data models, edits 1, all rows of 2, no rows of 1" },
  { entitlement_type = "group", entitlement_id = "builders", dashboards = 0, dashboards_edited = 0, models = 1, models_edited = 1, row_access = "all rows", summary = "data model Open, edits it, all rows" },
]
*/
/* example
name = "a role that reaches every object of a type counts them all"
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "1" }, { source = "s", object_type = "dashboard", object_id = "2" },
  { source = "s", object_type = "model", object_id = "m" }, { source = "t", object_type = "model", object_id = "m" },
]
given."graph.object_grants" = [
  { source = "s", object_type = "dashboard", object_id = "", level = "edit", granted_to_type = "role", granted_to_id = "admin" },
  { source = "s", object_type = "model", object_id = "", level = "edit", granted_to_type = "role", granted_to_id = "admin" },
  { source = "s", object_type = "model", object_id = "", level = "edit", granted_to_type = "role", granted_to_id = "data admin" },
]
expect = [
  { entitlement_type = "role", entitlement_id = "admin", dashboards = 2, dashboards_edited = 2, models = 1, models_edited = 1, row_access = "<null>", summary = "every dashboard and every data model" },
  { entitlement_type = "role", entitlement_id = "data admin", dashboards = 0, models = 1, summary = "every data model" },
]
*/
