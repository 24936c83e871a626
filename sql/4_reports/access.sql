/*
summary = "One role or group that one account holds, its path, the comparison with peers, and a recommendation."
view    = true
reads   = ["reports.held_access", "reports.access_findings"]
grain   = ["source", "account_id", "entitlement_type", "entitlement_id"]

[columns]
snapshot_id            = "varchar: the snapshot"
item_id                = "varchar: id of the review item: hash of source, account and entitlement, the same in every run"
source                 = "varchar: the source's name in the configuration"
account_id             = "varchar: the source's own id, verbatim"
email                  = "varchar: the account's e-mail address"
entitlement_type       = "varchar: role or group"
entitlement_id         = "varchar: its id"
entitlement_name       = "varchar: display name; null if no role or group has this id"
permission_level       = "varchar: privileged, standard or unclassified"
grant_type             = "varchar: direct or inherited"
path                   = "varchar: how the account came to the role or group, in words"
granted_via_group_id   = "varchar: the group that an inherited role comes from"
first_seen_snapshot_id = "varchar: the first snapshot that had it"
peer_group             = "varchar: the peers; null for built-in groups and unranked roles, which are not compared"
peer_n                 = "bigint: number of peers, without the account itself"
peer_k                 = "bigint: peers that hold it; for a role, peers with this rank or above"
peer_share             = "double: peer_k / peer_n, 0 to 1"
peer_share_low         = "double: lower bound of the Wilson 95 % interval"
peer_share_high        = "double: upper bound of the Wilson 95 % interval"
peer_verdict           = "varchar: insufficient_peers, rare_confident, rare_possible, neutral or common"
change_since_baseline  = "varchar: new, changed, unchanged, reappeared or no_baseline"
prior_decision         = "varchar: the last decision on this item"
prior_reviewer         = "varchar: e-mail address of the reviewer who made it"
prior_decision_at      = "timestamp: time of that decision, UTC"
recommendation         = "varchar: keep, remove, reduce, investigate or no_information"
recommendation_reason  = "varchar: reason for the recommendation, as a sentence"
rule_ids               = "varchar: rules with an open finding on the account, its person, or this role or group"

[checks.grain_of_held_access]
sql = """
select 'it has other rows than reports.held_access' as problem
where (select count(*) from reports.access) <> (select count(*) from reports.held_access)
"""
*/
select
    item.snapshot_id,
    item.item_id,
    item.source,
    item.account_id,
    item.email,
    item.entitlement_type,
    item.entitlement_id,
    item.entitlement_name,
    item.permission_level,
    item.grant_type,
    item.path,
    item.granted_via_group_id,
    item.first_seen_snapshot_id,
    item.peer_group,
    item.peer_n,
    item.peer_k,
    item.peer_share,
    item.peer_share_low,
    item.peer_share_high,
    item.peer_verdict,
    item.change_since_baseline,
    item.prior_decision,
    item.prior_reviewer,
    item.prior_decision_at,
    coalesce(found.recommendation, item.recommendation) as recommendation,
    coalesce(found.recommendation_reason, item.recommendation_reason) as recommendation_reason,
    coalesce(found.rule_ids, '') as rule_ids
from reports.held_access as item
left join reports.access_findings as found on found.item_id = item.item_id

/* example
name = "what open findings say takes the place of the comparison with peers"
given."reports.held_access" = [
  { item_id = "1", source = "s", account_id = "a", recommendation = "keep", recommendation_reason = "Usual." },
  { item_id = "2", source = "s", account_id = "b", recommendation = "keep", recommendation_reason = "Usual." },
]
given."reports.access_findings" = [
  { item_id = "2", recommendation = "remove", recommendation_reason = "The person has left.", rule_ids = "leavers" },
]
expect = [
  { account_id = "a", recommendation = "keep", recommendation_reason = "Usual.", rule_ids = "" },
  { account_id = "b", recommendation = "remove", recommendation_reason = "The person has left.", rule_ids = "leavers" },
]
*/
