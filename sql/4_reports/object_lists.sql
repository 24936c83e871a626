/*
summary = "One list of objects or settings of one source, and whether it was read whole."
reads   = ["graph.object_lists"]
grain   = ["source", "list"]

[columns]
source      = "varchar: the source's name in the configuration"
list        = "varchar: dashboards, models, row_rules, folders, seats, sign_on, mailed_reports or tenants"
position    = "integer: place among the lists of a source"
label       = "varchar: what the list holds, in words"
state       = "varchar: FULL, PARTIAL, NOT_AVAILABLE or NOT_READ"
explanation = "varchar: the state in a sentence"
loses       = "varchar: what the report lacks without the list"
*/
with

labels as (
    select * from (values
        (1, 'dashboards', 'dashboards and their shares'),
        (2, 'models', 'data models and their permissions'),
        (3, 'row_rules', 'row rules'),
        (4, 'folders', 'folders'),
        (5, 'seats', 'licence seats'),
        (6, 'sign_on', 'single sign-on and lockout'),
        (7, 'mailed_reports', 'mailed reports'),
        (8, 'tenants', 'tenants')
    ) as label(position, list, label)
)

select
    lists.source,
    lists.list,
    cast(coalesce(labels.position, 9) as integer) as position,
    coalesce(labels.label, replace(lists.list, '_', ' ')) as label,
    lists.state,
    lists.explanation,
    lists.loses
from graph.object_lists as lists
left join labels on labels.list = lists.list

/* example
name = "a list has its words and its place; one that is not known here keeps its name"
given."graph.object_lists" = [
  { source = "s", list = "sign_on", state = "FULL" }, { source = "s", list = "new_things", state = "NOT_READ" },
]
expect = [
  { list = "sign_on", position = 6, label = "single sign-on and lockout", state = "FULL" },
  { list = "new_things", position = 9, label = "new things", state = "NOT_READ" },
]
*/
