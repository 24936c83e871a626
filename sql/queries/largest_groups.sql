-- Which groups are the largest, and how many of their members are active or privileged?
select
    held.source, held.group_name, held.is_builtin, held.member_count,
    count(*) filter (where account.status = 'active') as active_members,
    count(*) filter (where account.privileged) as privileged_members
from graph.groups as held
left join graph.memberships as member on member.source = held.source and member.group_id = held.group_id
left join graph.accounts as account on account.source = member.source and account.account_id = member.account_id
group by held.source, held.group_id, held.group_name, held.is_builtin, held.member_count
order by held.member_count desc, held.source, held.group_name, held.group_id
limit 50
