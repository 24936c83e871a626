/*
summary = "One profile: what its accounts have in common that accounts are compared by."
reads   = ["graph.peer_keys"]
grain   = ["source", "profile_id"]

[columns]
source           = "varchar: the source's name in the configuration"
profile_id       = "bigint: number of the profile"
is_peer          = "boolean: its accounts count as peers of others: they are active and human"
has_peers_by_role = "boolean: their role is compared with the roles of peers"
title_group      = "varchar: same department and title"
department_group = "varchar: same department"
manager_group    = "varchar: same manager"
domain_group     = "varchar: same e-mail domain and same largest group; built-in groups are ignored"
source_group     = "varchar: all active accounts of people in the source"
account_count    = "bigint: number of its accounts"
*/
select
    source, profile_id,
    bool_or(is_peer) as is_peer,
    bool_or(has_peers_by_role) as has_peers_by_role,
    min(title_group) as title_group,
    min(department_group) as department_group,
    min(manager_group) as manager_group,
    min(domain_group) as domain_group,
    min(source_group) as source_group,
    count(*) as account_count
from graph.peer_keys
group by source, profile_id
