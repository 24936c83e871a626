/*
summary = "One privileged account, whatever its status."
reads   = ["reports.population", "graph.roles"]
grain   = ["source", "account_id"]

[columns]
source            = "varchar: the source's name in the configuration"
account_id        = "varchar: the source's own id"
label             = "varchar: name"
email             = "varchar: e-mail address, else the user name"
role_display_name = "varchar: the role as people see it"
role_rank         = "integer: its rank; null while unclassified"
rank_basis        = "varchar: what the rank rests on: name, base role or unclassified"
account_type      = "varchar: break_glass, service, human, shared or unknown"
status            = "varchar: active, inactive, pending or unknown"
department        = "varchar: the person's department"
created_at        = "timestamp: creation"
last_seen_at      = "timestamp: last seen"
days_since_seen   = "bigint: whole days since then"
login_state       = "varchar: seen, never or unknown"
finding_count     = "bigint: open findings"
*/
select
    account.source,
    account.account_id,
    account.display_name as label,
    coalesce(account.email, account.user_name) as email,
    coalesce(account.role_display_name, account.role_id) as role_display_name,
    account.role_rank,
    coalesce(role.rank_basis, 'unclassified') as rank_basis,
    account.account_type,
    account.status,
    account.department,
    account.created_at,
    account.last_seen_at,
    account.days_since_seen,
    account.login_state,
    account.finding_count
from reports.population as account
left join graph.roles as role on role.source = account.source and role.role_id = account.role_id
where account.privileged
order by account.role_rank desc nulls last, lower(account.display_name), account.source, account.account_id
