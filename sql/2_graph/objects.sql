/*
summary = "One dashboard, data model or folder, with its owner and the label that objects.csv gives it."
reads   = [
    "staging.dashboards", "staging.models", "staging.folders", "graph.accounts", "graph.folder_paths",
    "graph.dashboard_models", "graph.object_lists", "policy.objects", "reference.sensitivities",
]
grain   = ["source", "object_type", "object_id"]

[columns]
source            = "varchar: the source's name in the configuration"
object_type       = "varchar: dashboard, model or folder"
object_id         = "varchar: the object's id in the source"
object_name       = "varchar: its title, else its id"
owner_id          = "varchar: the account that owns it: of a model its creator, who is known for live models only"
owner_email       = "varchar: e-mail address of that account; null if the account does not exist"
model_id          = "varchar: of a dashboard, the model that it shows; null if none or several can be meant"
path              = "varchar: the folders that hold it, from the outermost on, joined by slashes; null outside of folders"
is_public         = "boolean: anyone with the link can open the dashboard without an account; null if not known"
sensitivity       = "varchar: the label in objects.csv, as written there; null without one"
is_sensitive      = "boolean: the label means sensitive data, or is none of the usual ones; false without a label"
label_owner_email = "varchar: the person responsible for its data, from objects.csv"
kind              = "varchar: of a model: extract or live"
has_shares        = "boolean: whether it is known with whom it is shared; false for folders, whose shares are not read"
has_row_rules     = "boolean: of a model, its row rules could be read"
is_list_complete  = "boolean: the list that has the object was read to a proven end, so that no object of the type is missing"

[checks.names_nothing]
level = "warn"
sql = """
select 'objects.csv, line ' || lines.line || ': there is no ' || coalesce(replace(lines.object_type, 'model', 'data model'), 'dashboard, data model or folder')
    || ' ''' || lines.object || '''' || coalesce(' in source ''' || lines.source || '''', '')
    || case when lists.are_complete then '' else ' among those that could be read' end as problem
from policy.objects as lines
cross join (
    select count(*) filter (where state <> 'FULL') = 0 as are_complete
    from graph.object_lists
    where list in ('dashboards', 'models', 'folders')
) as lists
anti join graph.objects as named
    on (named.object_id = lines.object or named.object_name = lines.object)
    and named.source = coalesce(lines.source, named.source)
    and named.object_type = coalesce(lines.object_type, named.object_type)
-- If no object was read at all, no line can be wrong.
where exists (select 1 from graph.objects)
order by lines.line
"""

[checks.unusual_sensitivity]
level = "warn"
sql = """
select 'objects.csv, line ' || lines.line || ': ''' || lines.sensitivity || ''' is not a usual sensitivity, so it counts as sensitive; usual are '
    || usual.labels as problem
from policy.objects as lines
cross join (select array_to_string(list_sort(list(sensitivity)), ', ') as labels from reference.sensitivities) as usual
where lower(lines.sensitivity) not in (select sensitivity from reference.sensitivities)
order by lines.line
"""
*/
with

all_objects as (
    select
        source, 'dashboard' as object_type, dashboard_id as object_id, title, owner_id, folder_id, is_public,
        cast(null as varchar) as kind, has_shares, cast(null as boolean) as has_row_rules
    from staging.dashboards
    union all
    select
        source, 'model', model_id, title, creator_id, cast(null as varchar), cast(null as boolean), kind, has_shares,
        has_row_rules
    from staging.models
    union all
    select
        source, 'folder', folder_id, name, owner_id, parent_id, cast(null as boolean), cast(null as varchar), false,
        cast(null as boolean)
    from staging.folders
),

labelled_by_name as (
    select objects.source, objects.object_type, objects.object_id, false as is_by_id, lines.line, lines.sensitivity,
        lines.owner_email, lines.source as line_source, lines.object_type as line_type
    from all_objects as objects
    join policy.objects as lines on lines.object = objects.title
    union all
    select objects.source, objects.object_type, objects.object_id, true, lines.line, lines.sensitivity,
        lines.owner_email, lines.source, lines.object_type
    from all_objects as objects
    join policy.objects as lines on lines.object = objects.object_id
),

-- The line that says most about the object counts: one with its id rather than its title, one with its source.
labels as (
    select source, object_type, object_id, line, sensitivity, owner_email
    from labelled_by_name
    where (line_source is null or line_source = source) and (line_type is null or line_type = object_type)
    qualify row_number() over (
        partition by source, object_type, object_id
        order by is_by_id desc, line_source is null, line_type is null, line
    ) = 1
)

select
    objects.source,
    objects.object_type,
    objects.object_id,
    coalesce(objects.title, objects.object_id) as object_name,
    objects.owner_id,
    owner.email as owner_email,
    shown.model_id,
    folder.path,
    objects.is_public,
    label.sensitivity,
    coalesce(known.is_sensitive, label.sensitivity is not null) as is_sensitive,
    label.owner_email as label_owner_email,
    objects.kind,
    objects.has_shares,
    objects.has_row_rules,
    coalesce(read.state = 'FULL', false) as is_list_complete
from all_objects as objects
left join graph.object_lists as read on read.source = objects.source and read.list = objects.object_type || 's'
left join graph.accounts as owner on owner.source = objects.source and owner.account_id = objects.owner_id
left join graph.folder_paths as folder on folder.source = objects.source and folder.folder_id = objects.folder_id
left join graph.dashboard_models as shown
    on objects.object_type = 'dashboard' and shown.source = objects.source and shown.dashboard_id = objects.object_id
left join labels as label
    on label.source = objects.source and label.object_type = objects.object_type and label.object_id = objects.object_id
left join reference.sensitivities as known on known.sensitivity = lower(label.sensitivity)

/* example
name = "owners, folders and models are looked up in the object's own source; an owner who does not exist has no address"
given."staging.dashboards" = [
  { source = "s", dashboard_id = "d1", title = "Sales", owner_id = "a", folder_id = "f2", is_public = true, has_shares = true },
  { source = "t", dashboard_id = "d1", title = "Sales", owner_id = "gone", folder_id = "f2", has_shares = false },
]
given."staging.models" = [ { source = "s", model_id = "m1", title = "Orders", kind = "live", creator_id = "a", has_shares = true, has_row_rules = false } ]
given."staging.folders" = [ { source = "s", folder_id = "f2", name = "Q1", parent_id = "f1", owner_id = "a" } ]
given."graph.folder_paths" = [ { source = "s", folder_id = "f1", path = "Finance" }, { source = "s", folder_id = "f2", path = "Finance / Q1" } ]
given."graph.object_lists" = [ { source = "s", list = "dashboards", state = "FULL" }, { source = "s", list = "models", state = "PARTIAL" } ]
given."graph.dashboard_models" = [ { source = "s", dashboard_id = "d1", model_id = "m1" } ]
given."graph.accounts" = [ { source = "s", account_id = "a", email = "ada@example.com" }, { source = "t", account_id = "a", email = "other@example.com" } ]
expect = [
  { source = "s", object_type = "dashboard", object_id = "d1", object_name = "Sales", owner_email = "ada@example.com", model_id = "m1", path = "Finance / Q1", is_public = true, is_sensitive = false, sensitivity = "<null>", is_list_complete = true },
  { source = "t", object_type = "dashboard", object_id = "d1", owner_id = "gone", owner_email = "<null>", model_id = "<null>", path = "<null>", is_public = "<null>", has_shares = false },
  { source = "s", object_type = "model", object_id = "m1", object_name = "Orders", owner_email = "ada@example.com", kind = "live", has_row_rules = false, is_list_complete = false },
  { source = "s", object_type = "folder", object_id = "f2", object_name = "Q1", owner_email = "ada@example.com", path = "Finance" },
]
*/
/* example
name = "a title marks every object that has it; an id, a source or a type says more; an unusual label counts as sensitive"
given."staging.dashboards" = [
  { source = "s", dashboard_id = "d1", title = "Sales" }, { source = "s", dashboard_id = "d2", title = "Sales" },
  { source = "t", dashboard_id = "d1", title = "Sales" }, { source = "t", dashboard_id = "d3" },
]
given."staging.models" = [ { source = "s", model_id = "m1", title = "Sales" }, { source = "s", model_id = "m2", title = "sales" } ]
given."policy.objects" = [
  { line = 2, object = "Sales", sensitivity = "Confidential", owner_email = "cfo@example.com" },
  { line = 3, object = "d2", sensitivity = "PUBLIC" },
  { line = 4, object = "Sales", sensitivity = "orange", source = "t" },
  { line = 5, object = "Sales", sensitivity = "internal", object_type = "model" },
]
expect = [
  { source = "s", object_id = "d1", sensitivity = "Confidential", is_sensitive = true, label_owner_email = "cfo@example.com" },
  { source = "s", object_id = "d2", sensitivity = "PUBLIC", is_sensitive = false, label_owner_email = "<null>" },
  { source = "t", object_id = "d1", sensitivity = "orange", is_sensitive = true, label_owner_email = "<null>" },
  { source = "t", object_id = "d3", object_name = "d3", sensitivity = "<null>", is_sensitive = false, label_owner_email = "<null>" },
  { source = "s", object_id = "m1", sensitivity = "internal", is_sensitive = false, label_owner_email = "<null>" },
  { source = "s", object_id = "m2", sensitivity = "<null>", is_sensitive = false, label_owner_email = "<null>" },
]
*/
