/*
summary = "One node of the identity graph: an account, a person, a role, a group, or an object that they reach."
reads   = ["graph.accounts", "graph.people", "graph.roles", "graph.groups", "graph.objects"]
grain   = ["node_id"]

[columns]
node_id   = "varchar: type, source and id, joined by colons"
node_type = "varchar: account, person, role, group, dashboard, model or folder"
label     = "varchar: display name"
source    = "varchar: the source; null for a person"
*/
select 'account:' || source || ':' || account_id as node_id, 'account' as node_type, display_name as label, source
from graph.accounts
union all
select 'person:' || person_id, 'person', coalesce(display_name, email), null from graph.people
union all
select 'role:' || source || ':' || role_id, 'role', coalesce(role_display_name, role_id), source from graph.roles
union all
select 'group:' || source || ':' || group_id, 'group', coalesce(group_name, group_id), source from graph.groups
union all
select object_type || ':' || source || ':' || object_id, object_type, object_name, source from graph.objects
