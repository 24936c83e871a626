/*
title       = "Role above that of the peers"
summary     = "An account whose role, or a higher one, few of its peers have."
severity    = "medium"
population  = "select source, account_id from graph.accounts"
reads       = ["graph.accounts", "graph.peer_statistics"]
grain       = ["source", "account_id"]
remediation = "Lower the role to the one that is enough for half of the peers, or record why this account needs more."

[params]
rare_share = 0.15
min_peers  = 5

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.5.15"]
pci      = ["7.2.4"]
nist     = ["AC-6(7)"]
*/
with

judged as (
    select
        account.source, account.account_id, account.privileged, statistic.peer_group, statistic.peer_n,
        statistic.peer_k, statistic.peer_share, statistic.peer_share_low, statistic.peer_share_high,
        statistic.peer_verdict, statistic.usual_role,
        case
            -- A role without a rank stands in no order, so nobody can say who holds it or more.
            when statistic.account_id is null or statistic.peer_verdict = 'insufficient_peers' then 'unknown'
            when statistic.peer_verdict in ('rare_confident', 'rare_possible') then 'failed'
        end as verdict
    from graph.accounts as account
    left join graph.peer_statistics as statistic
        on statistic.source = account.source and statistic.account_id = account.account_id
        and statistic.entitlement_type = 'role'
)

select
    source,
    account_id,
    verdict,
    case when privileged and peer_verdict = 'rare_confident' then 'high' else 'medium' end as severity,
    peer_k || ' of ' || peer_n || ' peers (' || peer_group || ') hold this role or a higher one: '
        || round(100 * peer_share, 1) || ' %, with 95 % confidence ' || round(100 * peer_share_low, 1) || ' to '
        || round(100 * peer_share_high, 1) || ' %.'
        || coalesce(' ' || usual_role || ' is enough for half of them.', '') as detail,
    round(100 * peer_share, 1) || ' % of ' || peer_n || ' peers' as observed_value,
    'more than ' || round(100 * $rare_share, 1) || ' % of at least ' || $min_peers || ' peers' as threshold
from judged
where verdict is not null

/* example
name = "rare fails, high only for the privileged beyond doubt; too few peers and no rank are unknown"
given."graph.accounts" = [
  { source = "s", account_id = "sure", privileged = true }, { source = "s", account_id = "perhaps", privileged = true },
  { source = "s", account_id = "sure, not privileged", privileged = false }, { source = "s", account_id = "neutral", privileged = true },
  { source = "s", account_id = "common", privileged = false }, { source = "s", account_id = "few", privileged = true },
  { source = "s", account_id = "unranked", privileged = true },
]
given."graph.peer_statistics" = [
  { source = "s", account_id = "sure", entitlement_type = "role", peer_verdict = "rare_confident" },
  { source = "s", account_id = "perhaps", entitlement_type = "role", peer_verdict = "rare_possible" },
  { source = "s", account_id = "sure, not privileged", entitlement_type = "role", peer_verdict = "rare_confident" },
  { source = "s", account_id = "neutral", entitlement_type = "role", peer_verdict = "neutral" },
  { source = "s", account_id = "common", entitlement_type = "role", peer_verdict = "common" },
  { source = "s", account_id = "common", entitlement_type = "group", peer_verdict = "rare_confident" },
  { source = "s", account_id = "few", entitlement_type = "role", peer_verdict = "insufficient_peers" },
]
expect = [
  { account_id = "sure", verdict = "failed", severity = "high" },
  { account_id = "perhaps", verdict = "failed", severity = "medium" },
  { account_id = "sure, not privileged", verdict = "failed", severity = "medium" },
  { account_id = "few", verdict = "unknown" },
  { account_id = "unranked", verdict = "unknown" },
]
population = 7
*/
