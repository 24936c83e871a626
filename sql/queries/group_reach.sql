-- Who is in a group, and by which path?
-- $group: the group's name or id
select source, email, person_id, status, entitlement_name as group_name, grant_type, path
from graph.effective_access
where entitlement_type = 'group' and (lower(entitlement_name) = lower($group) or entitlement_id = $group)
order by source, email, account_id
