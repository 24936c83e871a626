/*
summary = "One edge of the identity graph. Both nodes exist; a dangling reference has no edge."
reads   = ["graph.accounts", "graph.roles", "graph.groups", "graph.memberships", "graph.people"]
grain   = ["from_id", "edge_type", "to_id"]

[columns]
from_id   = "varchar: the node where the edge starts"
edge_type = "varchar: belongs_to (account to person), has_role, member_of, carries_role (group to role) or reports_to"
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
