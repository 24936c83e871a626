/*
summary = "One role or group that a compared account holds, and how many of its peers hold it too. Built-in groups are left out."
reads   = [
    "graph.peer_keys", "graph.peer_comparisons", "graph.peer_members", "graph.effective_access", "graph.accounts",
    "graph.roles", "reference.rules", "reference.rule_parameters",
]
grain   = ["source", "entitlement_type", "peer_group", "is_peer", "entitlement_id"]

[columns]
source           = "varchar: the source's name in the configuration"
entitlement_type = "varchar: role or group"
entitlement_id   = "varchar: id of the role or group"
peer_group       = "varchar: description of the peer group"
is_peer          = "boolean: the row is for accounts that belong to the peer group and are left out of their own comparison"
peer_n           = "bigint: number of peers, without the account itself"
peer_k           = "bigint: number of these peers with the group, or with a role of this rank or above"
peer_share       = "double: peer_k / peer_n"
peer_share_low   = "double: lower bound of the Wilson 95 % interval"
peer_share_high  = "double: upper bound of the Wilson 95 % interval"
peer_verdict     = "varchar: insufficient_peers, rare_confident, rare_possible, neutral or common"
usual_rank       = "integer: for a role, the lowest rank that at least half of the peers do not exceed; null for a group"
usual_role       = "varchar: name of a role with usual_rank; null for a group"
*/
with

rarity_limits as (
    select rules.compares as entitlement_type, min(parameters.value) as rare_share
    from reference.rules as rules
    join reference.rule_parameters as parameters
        on parameters.rule_id = rules.rule_id and parameters.parameter = 'rare_share'
    where rules.compares is not null
    group by rules.compares
),

-- How many accounts of each profile hold each group, and have each role. Peer groups are made of whole profiles.
group_holders_by_profile as (
    select held.source, keys.profile_id, held.entitlement_id, count(*) as holders
    from graph.effective_access as held
    join graph.peer_keys as keys on keys.source = held.source and keys.account_id = held.account_id
    where held.entitlement_type = 'group' and not held.is_builtin
    group by held.source, keys.profile_id, held.entitlement_id
),

role_holders_by_profile as (
    select account.source, keys.profile_id, account.role_id, account.role_rank, count(*) as holders
    from graph.accounts as account
    join graph.peer_keys as keys on keys.source = account.source and keys.account_id = account.account_id
    group by account.source, keys.profile_id, account.role_id, account.role_rank
),

-- Groups: the number of members of each peer group that hold each group.
group_holders as (
    select member.source, member.peer_group, held.entitlement_id, sum(held.holders) as holders
    from graph.peer_members as member
    join group_holders_by_profile as held on held.source = member.source and held.profile_id = member.profile_id
    group by member.source, member.peer_group, held.entitlement_id
),

group_subjects as (
    select distinct
        peers.source, peers.peer_group, peers.is_peer, peers.peer_count, peers.has_enough, held.entitlement_id
    from group_holders_by_profile as held
    join graph.peer_comparisons as peers
        on peers.source = held.source and peers.profile_id = held.profile_id and peers.entitlement_type = 'group'
),

-- Roles: a histogram of ranks. The counts at or above a rank follow from it, and it stays small for any number of
-- accounts.
rank_counts as (
    select member.source, member.peer_group, held.role_rank, sum(held.holders) as holders
    from graph.peer_members as member
    join role_holders_by_profile as held on held.source = member.source and held.profile_id = member.profile_id
    group by member.source, member.peer_group, held.role_rank
),

role_subjects as (
    select distinct
        peers.source, peers.peer_group, peers.is_peer, peers.peer_count, peers.has_enough, held.role_id,
        held.role_rank
    from graph.peer_comparisons as peers
    join role_holders_by_profile as held on held.source = peers.source and held.profile_id = peers.profile_id
    where peers.entitlement_type = 'role' and held.role_id is not null and held.role_rank is not null
),

ranked_subjects as (
    select distinct source, peer_group, is_peer, peer_count, role_rank from role_subjects
),

-- A subject in the peer group is counted in its own rank, so it is subtracted.
rank_holders as (
    select
        subject.source, subject.peer_group, subject.is_peer, subject.role_rank,
        coalesce(sum(case when ranks.role_rank >= subject.role_rank then ranks.holders end), 0)
            - case when subject.is_peer then 1 else 0 end as holders
    from ranked_subjects as subject
    left join rank_counts as ranks on ranks.source = subject.source and ranks.peer_group = subject.peer_group
    group by subject.source, subject.peer_group, subject.is_peer, subject.role_rank
),

cumulative_ranks as (
    select
        subject.source, subject.peer_group, subject.is_peer, subject.peer_count, subject.role_rank as own_rank,
        candidate.role_rank,
        sum(ranks.holders) - case when subject.is_peer and subject.role_rank <= candidate.role_rank then 1 else 0 end
            as cumulative_holders
    from ranked_subjects as subject
    join rank_counts as candidate on candidate.source = subject.source and candidate.peer_group = subject.peer_group
    join rank_counts as ranks
        on ranks.source = subject.source and ranks.peer_group = subject.peer_group
        and ranks.role_rank <= candidate.role_rank
    group by subject.source, subject.peer_group, subject.is_peer, subject.peer_count, subject.role_rank, candidate.role_rank
),

usual_ranks as (
    select source, peer_group, is_peer, own_rank, min(role_rank) as role_rank
    from cumulative_ranks
    where 2 * cumulative_holders >= peer_count and peer_count > 0
    group by source, peer_group, is_peer, own_rank
),

rank_names as (
    select source, role_rank, coalesce(min(case when is_builtin then role_display_name end), min(role_display_name))
        as role_name
    from graph.roles
    group by source, role_rank
),

held_counts as (
    select
        subject.source, 'role' as entitlement_type, subject.role_id as entitlement_id, subject.peer_group,
        subject.is_peer, subject.peer_count as n, rank_holders.holders as k, subject.has_enough,
        usual.role_rank as usual_rank
    from role_subjects as subject
    join rank_holders
        on rank_holders.source = subject.source and rank_holders.peer_group = subject.peer_group
        and rank_holders.is_peer = subject.is_peer and rank_holders.role_rank = subject.role_rank
    left join usual_ranks as usual
        on usual.source = subject.source and usual.peer_group = subject.peer_group
        and usual.is_peer = subject.is_peer and usual.own_rank = subject.role_rank
    union all
    select
        held.source, 'group', held.entitlement_id, held.peer_group, held.is_peer, held.peer_count,
        coalesce(group_holders.holders, 0) - case when held.is_peer then 1 else 0 end, held.has_enough, null
    from group_subjects as held
    left join group_holders
        on group_holders.source = held.source and group_holders.peer_group = held.peer_group
        and group_holders.entitlement_id = held.entitlement_id
),

shares as (
    select *, k / cast(nullif(n, 0) as double) as p from held_counts
),

-- Wilson's interval; 1.959963984540054 is the 97.5 % quantile of the normal distribution, 3.841458820694124 its square.
intervals as (
    select
        *,
        (p + 3.841458820694124 / (2 * n)) / (1 + 3.841458820694124 / n) as middle,
        1.959963984540054 * sqrt(p * (1 - p) / n + 3.841458820694124 / (4.0 * n * n)) / (1 + 3.841458820694124 / n)
            as half_width
    from shares
)

select
    held.source,
    held.entitlement_type,
    held.entitlement_id,
    held.peer_group,
    held.is_peer,
    held.n as peer_n,
    cast(held.k as bigint) as peer_k,
    held.p as peer_share,
    cast(greatest(held.middle - held.half_width, 0) as double) as peer_share_low,
    cast(least(held.middle + held.half_width, 1) as double) as peer_share_high,
    case
        when not held.has_enough then 'insufficient_peers'
        when held.middle + held.half_width <= limits.rare_share then 'rare_confident'
        when held.p <= limits.rare_share then 'rare_possible'
        when held.p > 0.70 then 'common'
        else 'neutral'
    end as peer_verdict,
    cast(held.usual_rank as integer) as usual_rank,
    rank_names.role_name as usual_role
from intervals as held
join rarity_limits as limits on limits.entitlement_type = held.entitlement_type
left join rank_names on rank_names.source = held.source and rank_names.role_rank = held.usual_rank

/* example
name = "a role counts peers of this rank or above; a group counts its holders; the account itself never counts"
given."reference.rules" = [
  { rule_id = "roles", severity = "low", compares = "role" }, { rule_id = "groups", severity = "low", compares = "group" },
]
given."reference.rule_parameters" = [
  { rule_id = "roles", parameter = "rare_share", value = 0.15 }, { rule_id = "groups", parameter = "rare_share", value = 0.15 },
]
given."graph.roles" = [ { source = "s", role_id = "viewer", role_display_name = "Viewer", role_rank = 10, is_builtin = true } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", role_id = "admin", role_rank = 90 },
  { source = "s", account_id = "2", role_id = "viewer", role_rank = 10 },
  { source = "s", account_id = "3", role_id = "viewer", role_rank = 10 },
  { source = "s", account_id = "4", role_id = "odd" },
]
given."graph.peer_keys" = [
  { source = "s", account_id = "1", profile_id = 1 }, { source = "s", account_id = "2", profile_id = 1 },
  { source = "s", account_id = "3", profile_id = 1 }, { source = "s", account_id = "4", profile_id = 2 },
]
given."graph.peer_comparisons" = [
  { source = "s", profile_id = 1, entitlement_type = "role", peer_group = "p", is_peer = true, peer_count = 2, has_enough = true },
  { source = "s", profile_id = 2, entitlement_type = "role", peer_group = "p", is_peer = false, peer_count = 3, has_enough = true },
  { source = "s", profile_id = 1, entitlement_type = "group", peer_group = "p", is_peer = true, peer_count = 2, has_enough = true },
  { source = "s", profile_id = 2, entitlement_type = "group", peer_group = "p", is_peer = false, peer_count = 3, has_enough = true },
]
given."graph.peer_members" = [ { source = "s", peer_group = "p", profile_id = 1 } ]
given."graph.effective_access" = [
  { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "g", is_builtin = false },
  { source = "s", account_id = "4", entitlement_type = "group", entitlement_id = "g", is_builtin = false },
  { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "all", is_builtin = true },
  { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "gone" },
]
expect = [
  { is_peer = true, entitlement_id = "admin", peer_n = 2, peer_k = 0, peer_share = 0.0, peer_verdict = "rare_possible", usual_rank = 10, usual_role = "Viewer" },
  { is_peer = true, entitlement_id = "viewer", peer_n = 2, peer_k = 2, peer_share = 1.0, peer_verdict = "common", usual_rank = 10, usual_role = "Viewer" },
  { is_peer = true, entitlement_id = "g", peer_n = 2, peer_k = 0, peer_share = 0.0, peer_verdict = "rare_possible", usual_rank = "<null>", usual_role = "<null>" },
  { is_peer = false, entitlement_id = "g", peer_n = 3, peer_k = 1, peer_share = 0.3333333333333333, peer_verdict = "neutral", usual_rank = "<null>", usual_role = "<null>" },
]
*/
/* example
name = "too few peers give insufficient_peers, whatever the share"
given."reference.rules" = [ { rule_id = "roles", severity = "low", compares = "role" } ]
given."reference.rule_parameters" = [ { rule_id = "roles", parameter = "rare_share", value = 0.15 } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", role_id = "admin", role_rank = 90 }, { source = "s", account_id = "2", role_id = "viewer", role_rank = 10 },
]
given."graph.peer_keys" = [ { source = "s", account_id = "1", profile_id = 1 }, { source = "s", account_id = "2", profile_id = 2 } ]
given."graph.peer_comparisons" = [ { source = "s", profile_id = 1, entitlement_type = "role", peer_group = "p", is_peer = true, peer_count = 1, has_enough = false } ]
given."graph.peer_members" = [ { source = "s", peer_group = "p", profile_id = 1 }, { source = "s", peer_group = "p", profile_id = 2 } ]
expect = [ { entitlement_id = "admin", peer_n = 1, peer_k = 0, peer_verdict = "insufficient_peers" } ]
*/
/* example
name = "a peer group of several profiles counts the holders of all of them"
given."reference.rules" = [
  { rule_id = "roles", severity = "low", compares = "role" }, { rule_id = "groups", severity = "low", compares = "group" },
]
given."reference.rule_parameters" = [
  { rule_id = "roles", parameter = "rare_share", value = 0.15 }, { rule_id = "groups", parameter = "rare_share", value = 0.15 },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", role_id = "viewer", role_rank = 10 }, { source = "s", account_id = "2", role_id = "viewer", role_rank = 10 },
  { source = "s", account_id = "3", role_id = "admin", role_rank = 90 },
]
given."graph.peer_keys" = [
  { source = "s", account_id = "1", profile_id = 1 }, { source = "s", account_id = "2", profile_id = 2 },
  { source = "s", account_id = "3", profile_id = 2 },
]
given."graph.peer_comparisons" = [
  { source = "s", profile_id = 1, entitlement_type = "role", peer_group = "d", is_peer = true, peer_count = 2, has_enough = true },
  { source = "s", profile_id = 2, entitlement_type = "group", peer_group = "d", is_peer = true, peer_count = 2, has_enough = true },
]
given."graph.peer_members" = [ { source = "s", peer_group = "d", profile_id = 1 }, { source = "s", peer_group = "d", profile_id = 2 } ]
given."graph.effective_access" = [
  { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "g", is_builtin = false },
  { source = "s", account_id = "2", entitlement_type = "group", entitlement_id = "g", is_builtin = false },
]
expect = [
  { entitlement_id = "viewer", peer_n = 2, peer_k = 2 }, { entitlement_id = "g", peer_n = 2, peer_k = 1 },
]
*/
