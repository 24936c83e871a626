/*
summary = "One account with the number of its groups and the median of its peers. Built-in groups are not counted."
reads   = ["graph.peer_keys", "graph.peer_comparisons", "graph.peer_members", "graph.effective_access"]
grain   = ["source", "account_id"]

[columns]
source       = "varchar: the source's name in the configuration"
account_id   = "varchar: the account"
group_count  = "bigint: number of the account's groups that exist and are not built-in"
peer_group   = "varchar: description of the peer group"
peer_n       = "bigint: number of peers, without the account itself"
has_enough   = "boolean: there are enough peers for a comparison"
peer_median  = "double: median number of groups of the peers"
peer_mad     = "double: median absolute deviation from that median, unscaled"
*/
with

held_counts as (
    select source, account_id, count(*) as group_count
    from graph.effective_access
    where entitlement_type = 'group' and not is_builtin
    group by source, account_id
),

account_counts as (
    select keys.source, keys.account_id, keys.profile_id, coalesce(held.group_count, 0) as group_count
    from graph.peer_keys as keys
    left join held_counts as held on held.source = keys.source and held.account_id = keys.account_id
),

profile_counts as (
    select source, profile_id, group_count, count(*) as accounts
    from account_counts
    group by source, profile_id, group_count
),

-- A histogram of group counts in each peer group. A median needs no more, and it stays small for any number of
-- accounts.
peer_sizes as (
    select member.source, member.peer_group, counts.group_count as size, sum(counts.accounts) as peers
    from graph.peer_members as member
    join profile_counts as counts on counts.source = member.source and counts.profile_id = member.profile_id
    group by member.source, member.peer_group, counts.group_count
),

subjects as (
    select
        peers.source, peers.profile_id, peers.peer_group, peers.peer_count, peers.has_enough, counts.group_count,
        -- The account's own count is removed from the histogram below. -1 matches no count, so nothing is removed.
        case when peers.is_peer then counts.group_count else -1 end as own_size
    from graph.peer_comparisons as peers
    join profile_counts as counts on counts.source = peers.source and counts.profile_id = peers.profile_id
    where peers.entitlement_type = 'group'
),

distinct_subjects as (
    select distinct source, peer_group, peer_count, own_size from subjects where peer_count > 0
),

other_sizes as (
    select
        distinct_subjects.source, distinct_subjects.peer_group, distinct_subjects.peer_count, distinct_subjects.own_size, sizes.size,
        sizes.peers - case when sizes.size = distinct_subjects.own_size then 1 else 0 end as peers
    from distinct_subjects
    join peer_sizes as sizes on sizes.source = distinct_subjects.source and sizes.peer_group = distinct_subjects.peer_group
),

cumulative_sizes as (
    select
        *,
        sum(peers) over (
            partition by source, peer_group, own_size order by size rows between unbounded preceding and current row
        ) as cumulative_peers
    from other_sizes
    where peers > 0
),

medians as (
    select
        source, peer_group, own_size,
        (min(case when 2 * cumulative_peers >= peer_count then size end)
            + min(case when 2 * cumulative_peers > peer_count then size end)) / 2.0 as median
    from cumulative_sizes
    group by source, peer_group, own_size
),

peer_distances as (
    select
        others.source, others.peer_group, others.own_size, others.peer_count, medians.median,
        abs(others.size - medians.median) as distance, sum(others.peers) as peers
    from other_sizes as others
    join medians
        on medians.source = others.source and medians.peer_group = others.peer_group
        and medians.own_size = others.own_size
    where others.peers > 0
    group by
        others.source, others.peer_group, others.own_size, others.peer_count, medians.median,
        abs(others.size - medians.median)
),

cumulative_distances as (
    select
        *,
        sum(peers) over (
            partition by source, peer_group, own_size order by distance
            rows between unbounded preceding and current row
        ) as cumulative_peers
    from peer_distances
),

spreads as (
    select
        source, peer_group, own_size, median,
        (min(case when 2 * cumulative_peers >= peer_count then distance end)
            + min(case when 2 * cumulative_peers > peer_count then distance end)) / 2.0 as mad
    from cumulative_distances
    group by source, peer_group, own_size, median
)

select
    account.source,
    account.account_id,
    account.group_count,
    subject.peer_group,
    subject.peer_count as peer_n,
    subject.has_enough,
    cast(spreads.median as double) as peer_median,
    cast(spreads.mad as double) as peer_mad
from account_counts as account
join subjects as subject
    on subject.source = account.source and subject.profile_id = account.profile_id
    and subject.group_count = account.group_count
left join spreads
    on spreads.source = subject.source and spreads.peer_group = subject.peer_group
    and spreads.own_size = subject.own_size

/* example
name = "median and spread leave out the account itself: 1, 2, 2, 9 for the peer with 5; 1, 2, 2, 5, 9 for an account outside the peer group"
given."graph.peer_comparisons" = [
  { source = "s", profile_id = 1, entitlement_type = "group", peer_group = "p", is_peer = true, peer_count = 4, has_enough = true },
  { source = "s", profile_id = 2, entitlement_type = "group", peer_group = "p", is_peer = false, peer_count = 5, has_enough = true },
  { source = "s", profile_id = 3, entitlement_type = "group", peer_group = "q", is_peer = true, peer_count = 0, has_enough = false },
  { source = "s", profile_id = 2, entitlement_type = "role", peer_group = "q", is_peer = false, peer_count = 1, has_enough = false },
]
given."graph.peer_members" = [
  { source = "s", peer_group = "p", profile_id = 1 }, { source = "s", peer_group = "q", profile_id = 3 },
]
given."graph.peer_keys" = [
  { source = "s", account_id = "five", profile_id = 1 }, { source = "s", account_id = "robot", profile_id = 2 },
  { source = "s", account_id = "alone", profile_id = 3 }, { source = "s", account_id = "one", profile_id = 1 },
  { source = "s", account_id = "two", profile_id = 1 }, { source = "s", account_id = "also two", profile_id = 1 },
  { source = "s", account_id = "nine", profile_id = 1 },
]
given."graph.effective_access" = [
  { source = "s", account_id = "five", entitlement_type = "group", entitlement_id = "1", is_builtin = false },
  { source = "s", account_id = "five", entitlement_type = "group", entitlement_id = "2", is_builtin = false },
  { source = "s", account_id = "five", entitlement_type = "group", entitlement_id = "3", is_builtin = false },
  { source = "s", account_id = "five", entitlement_type = "group", entitlement_id = "4", is_builtin = false },
  { source = "s", account_id = "five", entitlement_type = "group", entitlement_id = "5", is_builtin = false },
  { source = "s", account_id = "five", entitlement_type = "group", entitlement_id = "all", is_builtin = true },
  { source = "s", account_id = "five", entitlement_type = "group", entitlement_id = "gone" },
  { source = "s", account_id = "one", entitlement_type = "group", entitlement_id = "1", is_builtin = false },
  { source = "s", account_id = "two", entitlement_type = "group", entitlement_id = "1", is_builtin = false },
  { source = "s", account_id = "two", entitlement_type = "group", entitlement_id = "2", is_builtin = false },
  { source = "s", account_id = "also two", entitlement_type = "group", entitlement_id = "1", is_builtin = false },
  { source = "s", account_id = "also two", entitlement_type = "group", entitlement_id = "2", is_builtin = false },
  { source = "s", account_id = "nine", entitlement_type = "group", entitlement_id = "1", is_builtin = false },
  { source = "s", account_id = "nine", entitlement_type = "group", entitlement_id = "2", is_builtin = false },
  { source = "s", account_id = "nine", entitlement_type = "group", entitlement_id = "3", is_builtin = false },
  { source = "s", account_id = "nine", entitlement_type = "group", entitlement_id = "4", is_builtin = false },
  { source = "s", account_id = "nine", entitlement_type = "group", entitlement_id = "5", is_builtin = false },
  { source = "s", account_id = "nine", entitlement_type = "group", entitlement_id = "6", is_builtin = false },
  { source = "s", account_id = "nine", entitlement_type = "group", entitlement_id = "7", is_builtin = false },
  { source = "s", account_id = "nine", entitlement_type = "group", entitlement_id = "8", is_builtin = false },
  { source = "s", account_id = "nine", entitlement_type = "group", entitlement_id = "9", is_builtin = false },
]
expect = [
  { account_id = "five", group_count = 5, peer_n = 4, peer_median = 2.0, peer_mad = 0.5 },
  { account_id = "one", group_count = 1, peer_n = 4, peer_median = 3.5, peer_mad = 1.5 },
  { account_id = "two", group_count = 2, peer_n = 4, peer_median = 3.5, peer_mad = 2.0 },
  { account_id = "also two", group_count = 2, peer_n = 4, peer_median = 3.5, peer_mad = 2.0 },
  { account_id = "nine", group_count = 9, peer_n = 4, peer_median = 2.0, peer_mad = 0.5 },
  { account_id = "robot", group_count = 0, peer_n = 5, peer_median = 2.0, peer_mad = 1.0 },
  { account_id = "alone", group_count = 0, peer_n = 0, peer_median = "<null>", peer_mad = "<null>" },
]
*/
