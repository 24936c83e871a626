-- Memberships of these accounts, without the built-in groups
-- $account_ids: ids of accounts, in any source
select
    membership.source, membership.account_id, membership.group_id,
    coalesce(groups.group_name, membership.group_id) as group_name
from graph.memberships as membership
join graph.groups as groups on groups.source = membership.source and groups.group_id = membership.group_id
where not groups.is_builtin and list_contains($account_ids, membership.account_id)
order by membership.source, membership.account_id, lower(group_name), membership.group_id
