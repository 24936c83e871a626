/*
title       = "Far more groups than peers"
summary     = "An account whose number of groups exceeds the median of its peers by a multiple of their spread and by a minimum number."
severity    = "low"
population  = "select source, account_id from graph.accounts"
reads       = ["graph.accounts", "graph.peer_group_counts"]
grain       = ["source", "account_id"]
remediation = "Review the groups with the owner of the account, and remove those without a reason."

[params]
mad_factor = 3.0
min_excess = 5

[controls]
soc2 = ["CC6.3"]
*/
with

verdicts as (
    select
        account.source, account.account_id, peers.group_count, peers.peer_group, peers.peer_n,
        peers.peer_median, peers.peer_mad,
        case
            when peers.has_enough is distinct from true or coalesce(list_contains(account.unreadable_fields, 'groups'), false) then 'unknown'
            when peers.group_count > peers.peer_median + $mad_factor * peers.peer_mad
                and peers.group_count - peers.peer_median >= $min_excess then 'failed'
        end as verdict
    from graph.accounts as account
    left join graph.peer_group_counts as peers
        on peers.source = account.source and peers.account_id = account.account_id
)

select
    source,
    account_id,
    verdict,
    'Member of ' || counted(group_count, 'group') || '. For ' || counted(peer_n, 'peer') || ' (' || peer_group
        || '), the median is ' || peer_median || ' and the median deviation ' || peer_mad || '.' as detail,
    counted(group_count, 'group') as observed_value,
    'at most ' || greatest(peer_median + $mad_factor * peer_mad, peer_median + $min_excess) as threshold
from verdicts
where verdict is not null

/* example
name = "both limits must be exceeded; an account exactly at the spread passes, exactly at the number fails; too few peers are unknown"
given."graph.accounts" = [
  { source = "s", account_id = "beyond" }, { source = "s", account_id = "at the spread" }, { source = "s", account_id = "at the number" },
  { source = "s", account_id = "below the number" }, { source = "s", account_id = "few peers" },
]
given."graph.peer_group_counts" = [
  { source = "s", account_id = "beyond", group_count = 9, has_enough = true, peer_n = 9, peer_median = 2.0, peer_mad = 2.0 },
  { source = "s", account_id = "at the spread", group_count = 8, has_enough = true, peer_n = 9, peer_median = 2.0, peer_mad = 2.0 },
  { source = "s", account_id = "at the number", group_count = 7, has_enough = true, peer_n = 9, peer_median = 2.0, peer_mad = 1.0 },
  { source = "s", account_id = "below the number", group_count = 6, has_enough = true, peer_n = 9, peer_median = 2.0, peer_mad = 0.0 },
  { source = "s", account_id = "few peers", group_count = 99, has_enough = false, peer_n = 4, peer_median = 2.0, peer_mad = 0.0 },
]
expect = [
  { account_id = "beyond", verdict = "failed" },
  { account_id = "at the number", verdict = "failed" },
  { account_id = "few peers", verdict = "unknown" },
]
population = 5
*/
