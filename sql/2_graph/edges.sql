/*
summary = "One edge of the identity graph. Both nodes exist; a dangling reference has no edge."
reads   = [
    "graph.accounts", "graph.roles", "graph.groups", "graph.memberships", "graph.people", "graph.objects",
    "graph.object_grants",
]
grain   = ["from_id", "edge_type", "to_id"]

[columns]
from_id   = "varchar: the node where the edge starts"
edge_type = "varchar: belongs_to (account to person), has_role, member_of, carries_role (group to role), reports_to, shows (dashboard to model), or from an account or group to an object owns, edits, views, reads or uses"
to_id     = "varchar: the node where the edge ends"
*/
with

managers as (
    select email_key, min(person_id) as person_id from graph.people group by email_key
)

select 'account:' || source || ':' || account_id as from_id, 'belongs_to' as edge_type, 'person:' || person_id as to_id
from graph.accounts
where person_id is not null
union all
select 'account:' || a.source || ':' || a.account_id, 'has_role', 'role:' || r.source || ':' || r.role_id
from graph.accounts as a
join graph.roles as r on r.source = a.source and r.role_id = a.role_id
union all
select 'account:' || m.source || ':' || m.account_id, 'member_of', 'group:' || m.source || ':' || m.group_id
from graph.memberships as m
-- Semi joins keep DuckDB from pairing every account with every group of the source first.
semi join graph.accounts as a on a.source = m.source and a.account_id = m.account_id
semi join graph.groups as g on g.source = m.source and g.group_id = m.group_id
union all
select 'group:' || g.source || ':' || g.group_id, 'carries_role', 'role:' || r.source || ':' || r.role_id
from graph.groups as g
join graph.roles as r on r.source = g.source and r.role_id = g.role_id
union all
select 'person:' || p.person_id, 'reports_to', 'person:' || managers.person_id
from graph.people as p
join managers on managers.email_key = p.manager_key
union all
select 'dashboard:' || source || ':' || object_id, 'shows', 'model:' || source || ':' || model_id
from graph.objects
where model_id is not null
union all
-- What a role opens by itself has no edges: they would join it with every object.
select
    case when granted_to_type = 'account' then 'account:' else 'group:' end || source || ':' || granted_to_id,
    case level
        when 'owner' then 'owns'
        when 'edit' then 'edits'
        when 'view' then 'views'
        when 'read' then 'reads'
        else 'uses'
    end,
    object_type || ':' || source || ':' || object_id
from graph.object_grants
where granted_to_type in ('account', 'group', 'everyone') and granted_to_name is not null

/* example
name = "grants of objects are edges from accounts and groups that exist; roles, links and invitations have none"
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "d", model_id = "m" }, { source = "s", object_type = "model", object_id = "m" },
]
given."graph.object_grants" = [
  { source = "s", object_type = "dashboard", object_id = "d", level = "owner", granted_to_type = "account", granted_to_id = "a", granted_to_name = "Ada" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "view", granted_to_type = "everyone", granted_to_id = "e", granted_to_name = "Everyone" },
  { source = "s", object_type = "model", object_id = "m", level = "use", granted_to_type = "group", granted_to_id = "g", granted_to_name = "Sales" },
  { source = "s", object_type = "model", object_id = "m", level = "use", granted_to_type = "group", granted_to_id = "gone" },
  { source = "s", object_type = "dashboard", object_id = "", level = "edit", granted_to_type = "role", granted_to_id = "r", granted_to_name = "Admin" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "view", granted_to_type = "public", granted_to_id = "", granted_to_name = "anyone with the link" },
]
expect = [
  { from_id = "dashboard:s:d", edge_type = "shows", to_id = "model:s:m" },
  { from_id = "account:s:a", edge_type = "owns", to_id = "dashboard:s:d" },
  { from_id = "group:s:e", edge_type = "views", to_id = "dashboard:s:d" },
  { from_id = "group:s:g", edge_type = "uses", to_id = "model:s:m" },
]
*/
