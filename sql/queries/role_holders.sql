-- Which roles exist, which rank does each have, and how many accounts hold it?
select
    role.source, role.role_display_name, role.role_name, role.role_rank, role.rank_basis, role.privileged,
    count(account.account_id) as accounts, count(*) filter (where account.status = 'active') as active_accounts
from graph.roles as role
left join graph.accounts as account on account.source = role.source and account.role_id = role.role_id
group by
    role.source, role.role_id, role.role_display_name, role.role_name, role.role_rank, role.rank_basis, role.privileged
order by role.source, role.role_rank desc nulls last, role.role_display_name, role.role_id
