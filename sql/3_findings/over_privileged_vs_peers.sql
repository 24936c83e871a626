/*
title       = "Role above peers"
summary     = "An account whose role, or a higher one, is rare among its peers."
severity    = "medium"
population  = "select source, account_id from graph.accounts where account_type not in ('service', 'break_glass') and not is_own"
reads       = ["graph.accounts", "graph.peer_groups", "graph.peer_statistics"]
grain       = ["source", "account_id"]
remediation = "Lower the role to one that at least half of the peers have, or record why this account needs more."

[params]
rare_share = 0.15
min_peers  = 5

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.5.15"]
pci      = ["7.2.4"]
nist     = ["AC-6(7)"]

[effects]
compares = "role"

[effects.risk]
factor     = "rare"
likelihood = 2
*/
with

verdicts as (
    select
        account.source, account.account_id, account.privileged, statistic.peer_group, statistic.peer_n,
        statistic.peer_k, statistic.peer_share, statistic.peer_share_low, statistic.peer_share_high,
        statistic.peer_verdict, statistic.usual_role,
        case
            -- A role without a rank cannot be compared.
            when statistic.peer_verdict is null or statistic.peer_verdict = 'insufficient_peers' then 'unknown'
            when statistic.peer_verdict in ('rare_confident', 'rare_possible') then 'failed'
        end as verdict
    from graph.accounts as account
    left join graph.peer_groups as peers
        on peers.source = account.source and peers.account_id = account.account_id and peers.entitlement_type = 'role'
    left join graph.peer_statistics as statistic
        on statistic.source = peers.source and statistic.peer_group = peers.peer_group
        and statistic.is_peer = peers.is_peer and statistic.entitlement_type = 'role'
        and statistic.entitlement_id = account.role_id and account.role_rank is not null
    -- Service accounts, break-glass accounts and the program's own account are not compared with people.
    where account.account_type not in ('service', 'break_glass') and not account.is_own
)

select
    source,
    account_id,
    verdict,
    case when privileged and peer_verdict = 'rare_confident' then 'high' else 'medium' end as severity,
    grouped(peer_k) || ' of ' || counted(peer_n, 'peer') || ' (' || peer_group || ') have this role or a higher one: '
        || round(100 * peer_share, 1) || ' % (95 % interval ' || round(100 * peer_share_low, 1) || ' to '
        || round(100 * peer_share_high, 1) || ' %).'
        || coalesce(' At least half of the peers have ' || usual_role || ' or less.', '') as detail,
    round(100 * peer_share, 1) || ' % of ' || counted(peer_n, 'peer') as observed_value,
    'more than ' || round(100 * $rare_share, 1) || ' % of at least ' || $min_peers || ' peers' as threshold
from verdicts
where verdict is not null

/* example
name = "a rare role fails, with high severity only if privileged and certainly rare; too few peers and no rank are unknown"
given."graph.accounts" = [
  { source = "s", account_id = "sure", account_type = "human", is_own = false, role_id = "sure", role_rank = 90, privileged = true },
  { source = "s", account_id = "perhaps", account_type = "human", is_own = false, role_id = "perhaps", role_rank = 90, privileged = true },
  { source = "s", account_id = "sure, not privileged", account_type = "human", is_own = false, role_id = "sure", role_rank = 90, privileged = false },
  { source = "s", account_id = "neutral", account_type = "human", is_own = false, role_id = "neutral", role_rank = 90, privileged = true },
  { source = "s", account_id = "common", account_type = "human", is_own = false, role_id = "common", role_rank = 10, privileged = false },
  { source = "s", account_id = "few", account_type = "human", is_own = false, role_id = "few", role_rank = 90, privileged = true },
  { source = "s", account_id = "unranked", account_type = "human", is_own = false, role_id = "odd", privileged = true },
  { source = "s", account_id = "no peers", account_type = "human", is_own = false, role_id = "sure", role_rank = 90, privileged = true },
]
given."graph.peer_groups" = [
  { source = "s", account_id = "sure", entitlement_type = "role", peer_group = "p", is_peer = true },
  { source = "s", account_id = "perhaps", entitlement_type = "role", peer_group = "p", is_peer = true },
  { source = "s", account_id = "sure, not privileged", entitlement_type = "role", peer_group = "p", is_peer = true },
  { source = "s", account_id = "neutral", entitlement_type = "role", peer_group = "p", is_peer = true },
  { source = "s", account_id = "common", entitlement_type = "role", peer_group = "p", is_peer = true },
  { source = "s", account_id = "few", entitlement_type = "role", peer_group = "p", is_peer = true },
  { source = "s", account_id = "unranked", entitlement_type = "role", peer_group = "p", is_peer = true },
]
given."graph.peer_statistics" = [
  { source = "s", peer_group = "p", is_peer = true, entitlement_type = "role", entitlement_id = "sure", peer_verdict = "rare_confident" },
  { source = "s", peer_group = "p", is_peer = true, entitlement_type = "role", entitlement_id = "perhaps", peer_verdict = "rare_possible" },
  { source = "s", peer_group = "p", is_peer = true, entitlement_type = "role", entitlement_id = "neutral", peer_verdict = "neutral" },
  { source = "s", peer_group = "p", is_peer = true, entitlement_type = "role", entitlement_id = "common", peer_verdict = "common" },
  { source = "s", peer_group = "p", is_peer = true, entitlement_type = "group", entitlement_id = "common", peer_verdict = "rare_confident" },
  { source = "s", peer_group = "p", is_peer = false, entitlement_type = "role", entitlement_id = "common", peer_verdict = "rare_confident" },
  { source = "s", peer_group = "p", is_peer = true, entitlement_type = "role", entitlement_id = "few", peer_verdict = "insufficient_peers" },
]
expect = [
  { account_id = "sure", verdict = "failed", severity = "high" },
  { account_id = "perhaps", verdict = "failed", severity = "medium" },
  { account_id = "sure, not privileged", verdict = "failed", severity = "medium" },
  { account_id = "few", verdict = "unknown" },
  { account_id = "unranked", verdict = "unknown" },
  { account_id = "no peers", verdict = "unknown" },
]
population = 8
*/
/* example
name = "registered accounts and the program's own account are not compared"
given."graph.accounts" = [
  { source = "s", account_id = "svc", account_type = "service", is_own = false, role_id = "r", role_rank = 90, privileged = true },
  { source = "s", account_id = "glass", account_type = "break_glass", is_own = false, role_id = "r", role_rank = 90, privileged = true },
  { source = "s", account_id = "own", account_type = "unknown", is_own = true, role_id = "r", role_rank = 90, privileged = true },
  { source = "s", account_id = "person", account_type = "human", is_own = false, role_id = "r", role_rank = 90, privileged = true },
]
given."graph.peer_groups" = [
  { source = "s", account_id = "svc", entitlement_type = "role", peer_group = "p", is_peer = false },
  { source = "s", account_id = "own", entitlement_type = "role", peer_group = "p", is_peer = false },
  { source = "s", account_id = "person", entitlement_type = "role", peer_group = "p", is_peer = false },
]
given."graph.peer_statistics" = [ { source = "s", entitlement_type = "role", entitlement_id = "r", peer_group = "p", is_peer = false, peer_n = 30, peer_k = 0, peer_share = 0.0, peer_share_low = 0.0, peer_share_high = 0.11, peer_verdict = "rare_confident" } ]
expect = [ { account_id = "person", verdict = "failed" } ]
population = 1
*/
