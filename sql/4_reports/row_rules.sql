/*
summary = "One data model, the rows that its row rules leave to accounts without a rule of their own, and how many are named."
reads   = ["graph.objects", "graph.object_grants", "graph.row_access"]
grain   = ["source", "model_id"]

[columns]
source          = "varchar: the source's name in the configuration"
model_id        = "varchar: the model's id"
model_name      = "varchar: its title"
sensitivity     = "varchar: its label in objects.csv"
is_for_everyone = "boolean: it is shared with the built-in group of all accounts"
restricted_columns = "bigint: columns with a row rule"
column_names    = "varchar: these columns, as table.column"
open_columns    = "bigint: columns in which accounts and groups without a rule of their own see every row"
closed_columns  = "bigint: columns in which they see no row"
accounts        = "bigint: accounts that a rule names"
groups          = "bigint: groups that a rule names"
see_everything  = "bigint: accounts and groups that a rule lets see every row"
not_known       = "bigint: rules that cannot be read"
*/
with

default_access as (
    select
        source, model_id, table_name, column_name,
        max(access) filter (where granted_to_type = 'default') as access,
        count(*) filter (where access = 'not_known') as not_known
    from graph.row_access
    where column_name <> ''
    group by source, model_id, table_name, column_name
),

-- Without a default rule, the column is open to all whom no rule names.
column_counts as (
    select
        source, model_id, count(*) as restricted_columns,
        array_to_string(list_sort(list(concat_ws('.', table_name, column_name))), '; ') as column_names,
        count(*) filter (where coalesce(access, 'everything') = 'everything') as open_columns,
        count(*) filter (where access = 'nothing') as closed_columns,
        sum(not_known) as not_known
    from default_access
    group by source, model_id
),

party_counts as (
    select
        source, model_id,
        count(distinct granted_to_id) filter (where granted_to_type = 'account') as accounts,
        count(distinct granted_to_id) filter (where granted_to_type = 'group') as groups,
        count(distinct granted_to_type || chr(31) || granted_to_id)
            filter (where granted_to_type <> 'default' and access = 'everything') as see_everything
    from graph.row_access
    group by source, model_id
),

open_models as (
    select distinct source, object_id as model_id
    from graph.object_grants
    where object_type = 'model' and granted_to_type = 'everyone'
)

select
    model.source,
    model.object_id as model_id,
    model.object_name as model_name,
    model.sensitivity,
    open_models.model_id is not null as is_for_everyone,
    coalesce(found.restricted_columns, 0) as restricted_columns,
    coalesce(found.column_names, '') as column_names,
    coalesce(found.open_columns, 0) as open_columns,
    coalesce(found.closed_columns, 0) as closed_columns,
    coalesce(parties.accounts, 0) as accounts,
    coalesce(parties.groups, 0) as groups,
    coalesce(parties.see_everything, 0) as see_everything,
    cast(coalesce(found.not_known, 0) as bigint) as not_known
from graph.objects as model
left join column_counts as found on found.source = model.source and found.model_id = model.object_id
left join party_counts as parties on parties.source = model.source and parties.model_id = model.object_id
left join open_models on open_models.source = model.source and open_models.model_id = model.object_id
where model.object_type = 'model'

/* example
name = "columns without a default rule are open to others; a model without rules has none"
given."graph.objects" = [
  { source = "s", object_type = "model", object_id = "m", object_name = "Orders", sensitivity = "secret" },
  { source = "s", object_type = "model", object_id = "n", object_name = "Open" },
  { source = "s", object_type = "dashboard", object_id = "d", object_name = "No model" },
]
given."graph.object_grants" = [
  { source = "s", object_type = "model", object_id = "n", level = "use", granted_to_type = "everyone", granted_to_id = "e" },
]
given."graph.row_access" = [
  { source = "s", model_id = "m", table_name = "T", column_name = "region", granted_to_type = "group", granted_to_id = "g", access = "some", value_count = 2 },
  { source = "s", model_id = "m", table_name = "T", column_name = "region", granted_to_type = "account", granted_to_id = "1", access = "everything" },
  { source = "s", model_id = "m", table_name = "T", column_name = "region", granted_to_type = "default", granted_to_id = "", access = "nothing" },
  { source = "s", model_id = "m", table_name = "T", column_name = "country", granted_to_type = "group", granted_to_id = "g", access = "not_known" },
]
expect = [
  { model_id = "m", model_name = "Orders", restricted_columns = 2, column_names = "T.country; T.region", open_columns = 1, closed_columns = 1, accounts = 1, groups = 1, see_everything = 1, not_known = 1, is_for_everyone = false },
  { model_id = "n", restricted_columns = 0, column_names = "", accounts = 0, is_for_everyone = true },
]
*/
