/*
title       = "Rare group"
summary     = "An account in a group that is rare among its peers."
severity    = "low"
population  = """
select source, account_id, entitlement_id as group_id from graph.effective_access
where entitlement_type = 'group' and not is_builtin
"""
reads       = ["graph.effective_access", "graph.peer_groups", "graph.peer_statistics", "graph.entitlements"]
grain       = ["source", "account_id", "group_id"]
remediation = "Remove the account from the group, or record why it needs the group."

[params]
rare_share = 0.15
min_peers  = 5

[controls]
soc2 = ["CC6.3"]
nist = ["AC-6"]

[effects]
compares = "group"

[effects.risk]
factor     = "rare"
likelihood = 2
*/
with

-- Select the uncommon groups of each peer group first, so that few memberships are looked up.
uncommon_groups as (
    select
        statistic.*, entitlement.entitlement_name as group_name,
        case when statistic.peer_verdict = 'insufficient_peers' then 'unknown' else 'failed' end as verdict
    from graph.peer_statistics as statistic
    join graph.entitlements as entitlement
        on entitlement.source = statistic.source and entitlement.entitlement_type = 'group'
        and entitlement.entitlement_id = statistic.entitlement_id
    where statistic.entitlement_type = 'group'
        and statistic.peer_verdict in ('insufficient_peers', 'rare_confident', 'rare_possible')
),

-- Materialized to keep one row per membership: joining accounts with all uncommon groups first fills the disk.
memberships as materialized (
    select access.source, access.account_id, access.entitlement_id, peers.peer_group, peers.is_peer
    from graph.effective_access as access
    join graph.peer_groups as peers
        on peers.source = access.source and peers.account_id = access.account_id and peers.entitlement_type = 'group'
    where access.entitlement_type = 'group' and not access.is_builtin
),

verdicts as (
    select uncommon_groups.*, memberships.account_id
    from memberships
    join uncommon_groups
        on uncommon_groups.source = memberships.source and uncommon_groups.peer_group = memberships.peer_group
        and uncommon_groups.is_peer = memberships.is_peer and uncommon_groups.entitlement_id = memberships.entitlement_id
)

select
    source,
    account_id,
    entitlement_id as group_id,
    verdict,
    grouped(peer_k) || ' of ' || counted(peer_n, 'peer') || ' (' || peer_group || case when peer_k = 1 then ') is in ' else ') are in ' end || group_name || ': '
        || round(100 * peer_share, 1) || ' % (95 % interval ' || round(100 * peer_share_low, 1) || ' to '
        || round(100 * peer_share_high, 1) || ' %).' as detail,
    round(100 * peer_share, 1) || ' % of ' || counted(peer_n, 'peer') as observed_value,
    'more than ' || round(100 * $rare_share, 1) || ' % of at least ' || $min_peers || ' peers' as threshold,
    cast({'group_id': entitlement_id} as json) as evidence
from verdicts

/* example
name = "each rare group is one finding; neutral passes; too few peers are unknown"
given."graph.entitlements" = [
  { source = "s", entitlement_type = "group", entitlement_id = "1", entitlement_name = "Sales" },
  { source = "s", entitlement_type = "group", entitlement_id = "2", entitlement_name = "Legal" },
]
given."graph.effective_access" = [
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "1", is_builtin = false },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "2", is_builtin = false },
  { source = "s", account_id = "b", entitlement_type = "group", entitlement_id = "1", is_builtin = false },
  { source = "s", account_id = "b", entitlement_type = "group", entitlement_id = "2", is_builtin = false },
  { source = "s", account_id = "b", entitlement_type = "group", entitlement_id = "all", is_builtin = true },
  { source = "s", account_id = "b", entitlement_type = "role", entitlement_id = "2" },
]
given."graph.peer_groups" = [
  { source = "s", account_id = "a", entitlement_type = "group", peer_group = "p", is_peer = true },
  { source = "s", account_id = "b", entitlement_type = "group", peer_group = "q", is_peer = true },
]
given."graph.peer_statistics" = [
  { source = "s", peer_group = "p", is_peer = true, entitlement_type = "group", entitlement_id = "1", peer_verdict = "rare_confident" },
  { source = "s", peer_group = "p", is_peer = true, entitlement_type = "group", entitlement_id = "2", peer_verdict = "rare_possible" },
  { source = "s", peer_group = "q", is_peer = true, entitlement_type = "group", entitlement_id = "1", peer_verdict = "neutral" },
  { source = "s", peer_group = "q", is_peer = false, entitlement_type = "group", entitlement_id = "1", peer_verdict = "rare_confident" },
  { source = "s", peer_group = "q", is_peer = true, entitlement_type = "group", entitlement_id = "2", peer_verdict = "insufficient_peers" },
  { source = "s", peer_group = "q", is_peer = true, entitlement_type = "role", entitlement_id = "2", peer_verdict = "rare_confident" },
]
expect = [
  { account_id = "a", group_id = "1", verdict = "failed" },
  { account_id = "a", group_id = "2", verdict = "failed" },
  { account_id = "b", group_id = "2", verdict = "unknown" },
]
population = 4
*/
