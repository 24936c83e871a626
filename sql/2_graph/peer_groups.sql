/*
summary = "One account and the peer group its role or its groups are compared with: the closest group with enough peers."
reads   = ["graph.peer_keys", "graph.peer_comparisons"]
grain   = ["source", "account_id", "entitlement_type"]

[columns]
source           = "varchar: the source's name in the configuration"
account_id       = "varchar: the account"
entitlement_type = "varchar: role or group, whichever is compared"
peer_group       = "varchar: description of the peer group"
is_peer          = "boolean: the account belongs to the peer group; it is left out of its own comparison"
peer_count       = "bigint: number of peers, without the account itself"
has_enough       = "boolean: there are at least as many peers as the rule requires"
*/
select
    account.source,
    account.account_id,
    comparison.entitlement_type,
    comparison.peer_group,
    comparison.is_peer,
    comparison.peer_count,
    comparison.has_enough
from graph.peer_keys as account
join graph.peer_comparisons as comparison
    on comparison.source = account.source and comparison.profile_id = account.profile_id
