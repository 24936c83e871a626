/*
summary = "One role or group that one account holds, its path, the comparison with peers, and what that recommends without any finding."
reads   = [
    "graph.effective_access", "graph.peer_groups", "graph.peer_statistics", "baseline.snapshot", "baseline.grants",
    "history.grants", "review.decisions", "review.sign_offs", "reference.snapshot",
]
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
recommendation         = "varchar: keep, remove, reduce, investigate or no_information, if there were no finding"
recommendation_reason  = "varchar: reason for that recommendation, as a sentence"
reason_kind            = "varchar: which reason it is: dangling, built-in, unclassified, above peers, rare, perhaps rare, not usual, like peers, not compared or few peers"
*/
with

first_snapshots as (
    select source, account_id, entitlement_type, entitlement_id, min(snapshot_id) as snapshot_id
    from history.grants
    where snapshot_id < $snapshot_id
    group by source, account_id, entitlement_type, entitlement_id
),

-- One row, even without a baseline.
baselines as (
    select max(snapshot_id) as snapshot_id from baseline.snapshot
),

-- Decisions of campaigns signed off before this extract ended. Later sign-offs do not count, so that a rebuild of the
-- snapshot gives the same report.
signed_decisions as (
    select decisions.*, sign_offs.signed_at
    from review.decisions as decisions
    join review.sign_offs as sign_offs on sign_offs.campaign = decisions.campaign
    join reference.snapshot as current_snapshot
        on sign_offs.snapshot_id < current_snapshot.snapshot_id and sign_offs.signed_at <= current_snapshot.finished_at
),

ranked_decisions as (
    select
        item_id, decision, reviewer_email, coalesce(decided_at, imported_at) as decision_at,
        row_number() over (partition by item_id order by signed_at desc, campaign desc, sequence desc) as place
    from signed_decisions
),

prior_decisions as (
    select * from ranked_decisions where place = 1
),

-- A peer group in the words of a manager, once per peer group, not once per account.
described_peers as (
    select
        *,
        case
            when peer_group = 'all active accounts of people' then counted(peer_n, 'active account') || ' of people'
            when starts_with(peer_group, 'manager ')
                then grouped(peer_n) || case when peer_n = 1 then ' person who reports to ' else ' people who report to ' end
                    || substr(peer_group, 9)
            when starts_with(peer_group, 'domain ')
                then counted(peer_n, 'account') || ' of ' || regexp_replace(substr(peer_group, 8), ', largest group ', ' in the group ')
            when starts_with(peer_group, 'department ')
                then grouped(peer_n) || case when peer_n = 1 then ' person' else ' people' end
                    || coalesce(
                        ' with the title ' || nullif(regexp_extract(peer_group, ', title (.*)$', 1), ''), ''
                    )
                    || ' in ' || regexp_replace(substr(peer_group, 12), ', title .*$', '')
            else counted(peer_n, 'peer') || ' (' || peer_group || ')'
        end as peers
    from graph.peer_statistics
),

statistics as (
    select
        *,
        case
            when peer_k = 0 then 'None of the '
            when peer_k = peer_n then case when peer_n = 1 then 'The ' else 'All ' end
            when peer_share >= 0.9 then 'Nearly all of the '
            when peer_share >= 0.6 then 'Most of the '
            when peer_share >= 0.4 then 'About half of the '
            else grouped(peer_k) || ' of the '
        end || peers
            || case
                when peer_k = 1 and peer_share < 0.4 or peer_n = 1 then ' has this'
                else ' have this'
            end
            || case when entitlement_type = 'role' then ' role or a higher one' else ' group' end as comparison
    from described_peers
),

items as (
    select
        access.*,
        statistic.peer_group, statistic.peer_n, statistic.peer_k, statistic.peer_share, statistic.peer_share_low,
        statistic.peer_share_high, statistic.peer_verdict, statistic.usual_rank, statistic.usual_role,
        first_snapshots.snapshot_id as first_seen_snapshot_id,
        substr(
            sha256(concat_ws(
                chr(31), access.source, access.account_id, access.entitlement_type, access.entitlement_id
            )), 1, 16
        ) as item_id,
        case
            when baselines.snapshot_id is null then 'no_baseline'
            when earlier.account_id is null and first_snapshots.snapshot_id < baselines.snapshot_id then 'reappeared'
            when earlier.account_id is null then 'new'
            when earlier.grant_type <> access.grant_type
                or earlier.granted_via_group_id is distinct from access.granted_via_group_id then 'changed'
            else 'unchanged'
        end as change_since_baseline,
        statistic.comparison,
        peers.account_id is not null or access.entitlement_type = 'group' as is_compared
    from graph.effective_access as access
    cross join baselines
    left join graph.peer_groups as peers
        on (access.is_account_role or access.entitlement_type = 'group') is distinct from false and peers.source = access.source and peers.account_id = access.account_id
        and peers.entitlement_type = access.entitlement_type
    left join statistics as statistic
        on statistic.source = peers.source and statistic.peer_group = peers.peer_group
        and statistic.is_peer = peers.is_peer and statistic.entitlement_type = access.entitlement_type
        and statistic.entitlement_id = access.entitlement_id
    left join baseline.grants as earlier
        on earlier.source = access.source and earlier.account_id = access.account_id
        and earlier.entitlement_type = access.entitlement_type and earlier.entitlement_id = access.entitlement_id
    left join first_snapshots
        on first_snapshots.source = access.source and first_snapshots.account_id = access.account_id
        and first_snapshots.entitlement_type = access.entitlement_type
        and first_snapshots.entitlement_id = access.entitlement_id
),

-- The first reason that applies, most serious first.
reasons as (
    select
        *,
        case
            when entitlement_name is null then 'dangling'
            when entitlement_type = 'group' and is_builtin then 'built-in'
            when permission_level = 'unclassified' then 'unclassified'
            when entitlement_type = 'role' and peer_verdict in ('rare_confident', 'rare_possible')
                and usual_rank < role_rank then 'above peers'
            when entitlement_type = 'group' and peer_verdict = 'rare_confident' then 'rare'
            when peer_verdict in ('rare_confident', 'rare_possible') then 'perhaps rare'
            when peer_verdict = 'neutral' and permission_level <> 'standard' then 'not usual'
            when peer_verdict in ('common', 'neutral') then 'like peers'
            when not is_compared then 'not compared'
            else 'few peers'
        end as reason
    from items
)

select
    $snapshot_id as snapshot_id,
    reasons.item_id,
    source,
    account_id,
    email,
    entitlement_type,
    entitlement_id,
    entitlement_name,
    permission_level,
    grant_type,
    path,
    granted_via_group_id,
    coalesce(first_seen_snapshot_id, $snapshot_id) as first_seen_snapshot_id,
    peer_group,
    peer_n,
    peer_k,
    peer_share,
    peer_share_low,
    peer_share_high,
    peer_verdict,
    change_since_baseline,
    prior.decision as prior_decision,
    prior.reviewer_email as prior_reviewer,
    prior.decision_at as prior_decision_at,
    case reason
        when 'rare' then 'remove'
        when 'above peers' then 'reduce'
        when 'like peers' then 'keep'
        when 'built-in' then 'no_information'
        when 'few peers' then 'no_information'
        when 'not compared' then 'no_information'
        else 'investigate'
    end as recommendation,
    case reason
        when 'dangling' then 'No ' || entitlement_type || ' has this id. If the id is assigned again, the account gains access.'
        when 'built-in' then 'Built-in groups are not compared.'
        when 'unclassified' then case
            when is_account_role = false
                then 'Neither the policy nor the source says whether this ' || entitlement_type || ' is privileged.'
            else 'The role has no rank, so it counts as privileged until it is ranked.' end
        when 'above peers' then comparison || '. At least half of them have ' || coalesce(usual_role, 'rank ' || usual_rank) || ' or less.'
        when 'rare' then comparison || '.'
        when 'perhaps rare' then comparison || '.'
        when 'not usual' then comparison || '. It is high risk and not usual among them.'
        when 'like peers' then comparison || case when peer_share < 0.4 then '; that is not rare among them.' else '.' end
        when 'not compared' then case
            when is_account_role = false then 'Entitlements of this type are not compared with those of peers.'
            else 'Service accounts, break-glass accounts and the program''s own account are not compared with people.' end
        else 'There are too few peers for a comparison' || coalesce(': ' || peer_n, '') || '.'
    end as recommendation_reason,
    reason as reason_kind
from reasons
left join prior_decisions as prior on prior.item_id = reasons.item_id

/* example
name = "the most serious reason decides, and every row states it; what is high risk and not usual is investigated"
given."graph.effective_access" = [
  { source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Admin", permission_level = "privileged", role_rank = 90, grant_type = "direct", path = "Ada > role Admin" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "rare", entitlement_name = "Rare", permission_level = "standard", is_builtin = false, grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "usual", entitlement_name = "Usual", permission_level = "standard", is_builtin = false, grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "all", entitlement_name = "Everyone", permission_level = "standard", is_builtin = true, grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "gone", permission_level = "unclassified", grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "owners", entitlement_name = "Owners", permission_level = "privileged", is_builtin = false, grant_type = "direct" },
  { source = "s", account_id = "svc", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Admin", permission_level = "privileged", role_rank = 90, grant_type = "direct" },
]
given."graph.peer_groups" = [
  { source = "s", account_id = "a", entitlement_type = "role", peer_group = "p", is_peer = false },
  { source = "s", account_id = "a", entitlement_type = "group", peer_group = "p", is_peer = false },
]
given."graph.peer_statistics" = [
  { source = "s", is_peer = false, entitlement_type = "role", entitlement_id = "r", peer_group = "p", peer_n = 30, peer_k = 0, peer_share = 0.0, peer_share_low = 0.0, peer_share_high = 0.1135, peer_verdict = "rare_confident", usual_rank = 10, usual_role = "Viewer" },
  { source = "s", peer_group = "p", is_peer = false, entitlement_type = "group", entitlement_id = "rare", peer_verdict = "rare_confident" },
  { source = "s", peer_group = "p", is_peer = false, entitlement_type = "group", entitlement_id = "usual", peer_n = 40, peer_k = 10, peer_share = 0.25, peer_verdict = "neutral" },
  { source = "s", peer_group = "p", is_peer = false, entitlement_type = "group", entitlement_id = "owners", peer_n = 40, peer_k = 10, peer_share = 0.25, peer_verdict = "neutral" },
]
expect = [
  { account_id = "a", entitlement_id = "r", reason_kind = "above peers", recommendation = "reduce", recommendation_reason = "None of the 30 peers (p) have this role or a higher one. At least half of them have Viewer or less.", change_since_baseline = "no_baseline", first_seen_snapshot_id = "example" },
  { account_id = "a", entitlement_id = "rare", reason_kind = "rare", recommendation = "remove" },
  { account_id = "a", entitlement_id = "usual", reason_kind = "like peers", recommendation = "keep", recommendation_reason = "10 of the 40 peers (p) have this group; that is not rare among them." },
  { account_id = "a", entitlement_id = "all", reason_kind = "built-in", recommendation = "no_information" },
  { account_id = "a", entitlement_id = "gone", reason_kind = "dangling", recommendation = "investigate" },
  { account_id = "a", entitlement_id = "owners", reason_kind = "not usual", recommendation = "investigate", recommendation_reason = "10 of the 40 peers (p) have this group. It is high risk and not usual among them." },
  { account_id = "svc", entitlement_id = "r", reason_kind = "not compared", recommendation = "no_information" },
]
*/
