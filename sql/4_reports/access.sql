/*
summary = "One role or group that one account holds, its path, the comparison with peers, and a recommendation."
reads   = [
    "graph.effective_access", "graph.peer_groups", "graph.peer_statistics", "reports.finding_accounts",
    "reports.finding_access", "reports.conflicts", "baseline.snapshot", "baseline.grants", "history.grants",
    "review.decisions", "review.sign_offs", "reference.snapshot", "reference.rules",
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
recommendation         = "varchar: keep, remove, reduce, investigate or no_information"
recommendation_reason  = "varchar: reason for the recommendation, as a sentence"
rule_ids               = "varchar: rules with an open finding on the account, its person, or this role or group"
*/
with

account_rules as (
    select
        source, account_id, array_to_string(list_sort(list(distinct rule_id)), '; ') as rule_ids,
        min(severity_rank) as severity_rank
    from reports.finding_accounts
    where status = 'open' and not names_access
    group by source, account_id
),

-- A finding that names roles or groups marks only those.
item_rules as (
    select
        named.source, named.account_id, named.entitlement_type, named.entitlement_id,
        array_to_string(list_sort(list(distinct named.rule_id)), '; ') as rule_ids,
        min(found.severity_rank) as severity_rank
    from reports.finding_access as named
    left join reports.finding_accounts as found
        on found.finding_id = named.finding_id and found.source = named.source
        and found.account_id = named.account_id
    where named.status = 'open'
    group by named.source, named.account_id, named.entitlement_type, named.entitlement_id
),

-- The recommendations of open findings, for each role and group that they mark.
suggestions as (
    select
        access.source, access.account_id, access.entitlement_type, access.entitlement_id,
        rules.recommendation, rules.reason, rules.comes_first
    from reports.finding_accounts as found
    join reference.rules as rules on rules.rule_id = found.rule_id
    join graph.effective_access as access
        on access.source = found.source and access.account_id = found.account_id
        and (rules.marks = 'account' or rules.marks = access.entitlement_type)
    where found.status = 'open' and not found.names_access
    union all
    select
        named.source, named.account_id, named.entitlement_type, named.entitlement_id,
        rules.recommendation, rules.reason, rules.comes_first
    from reports.finding_access as named
    join reference.rules as rules
        on rules.rule_id = named.rule_id and (rules.marks = 'account' or rules.marks = named.entitlement_type)
    where named.status = 'open'
),

ranked_suggestions as (
    select
        *,
        row_number() over (
            partition by source, account_id, entitlement_type, entitlement_id
            order by
                comes_first desc,
                case recommendation when 'remove' then 1 when 'reduce' then 2 when 'investigate' then 3 else 4 end,
                reason
        ) as place
    from suggestions
),

conflicts as (
    select
        source, account_id, entitlement_type, entitlement_id,
        array_to_string(list_sort(list(distinct other_name)), '; ') as others,
        count(distinct other_name) as other_count
    from reports.conflicts
    group by source, account_id, entitlement_type, entitlement_id
),

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
        suggestion.recommendation as suggested, suggestion.reason as suggested_because,
        coalesce(suggestion.comes_first, false) as comes_first,
        concat_ws('; ', account_rules.rule_ids, item_rules.rule_ids) as rule_ids,
        conflicts.others as conflicts_with, conflicts.other_count,
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
        -- A finding about the account bears on its role: without the role, the account is of no use.
        access.permission_level <> 'standard'
            or coalesce(item_rules.severity_rank, 9) <= 2
            or (access.entitlement_type = 'role' and coalesce(account_rules.severity_rank, 9) <= 2) as is_high_risk,
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
    left join account_rules
        on account_rules.source = access.source and account_rules.account_id = access.account_id
    left join item_rules
        on item_rules.source = access.source and item_rules.account_id = access.account_id
        and item_rules.entitlement_type = access.entitlement_type and item_rules.entitlement_id = access.entitlement_id
    left join ranked_suggestions as suggestion
        on suggestion.source = access.source and suggestion.account_id = access.account_id
        and suggestion.entitlement_type = access.entitlement_type
        and suggestion.entitlement_id = access.entitlement_id and suggestion.place = 1
    left join conflicts
        on conflicts.source = access.source and conflicts.account_id = access.account_id
        and conflicts.entitlement_type = access.entitlement_type and conflicts.entitlement_id = access.entitlement_id
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
            when comes_first then 'finding'
            when entitlement_name is null then 'dangling'
            when conflicts_with is not null then 'conflict'
            when entitlement_type = 'group' and is_builtin then 'built-in'
            when permission_level = 'unclassified' then 'unclassified'
            when suggested in ('remove', 'reduce') then 'finding'
            when entitlement_type = 'role' and peer_verdict in ('rare_confident', 'rare_possible')
                and usual_rank < role_rank then 'above peers'
            when entitlement_type = 'group' and peer_verdict = 'rare_confident' then 'rare'
            when peer_verdict in ('rare_confident', 'rare_possible') then 'perhaps rare'
            when suggested is not null then 'finding'
            when peer_verdict = 'neutral' and is_high_risk then 'not usual'
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
        when 'finding' then suggested
        when 'conflict' then 'remove'
        when 'rare' then 'remove'
        when 'above peers' then 'reduce'
        when 'like peers' then 'keep'
        when 'built-in' then 'no_information'
        when 'few peers' then 'no_information'
        when 'not compared' then 'no_information'
        else 'investigate'
    end as recommendation,
    case reason
        when 'finding' then suggested_because
        when 'dangling' then 'No ' || entitlement_type || ' has this id. If the id is assigned again, the account gains access.'
        when 'conflict' then 'One person must not hold this together with ' || conflicts_with || '. Remove '
            || case when other_count = 1 then 'one of the two.' else 'this, or all of those.' end
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
    rule_ids
from reasons
left join prior_decisions as prior on prior.item_id = reasons.item_id

/* example
name = "the most serious reason decides, and every row states it"
given."graph.effective_access" = [
  { source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Admin", permission_level = "privileged", role_rank = 90, grant_type = "direct", path = "Ada > role Admin" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "rare", entitlement_name = "Rare", permission_level = "standard", is_builtin = false, grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "usual", entitlement_name = "Usual", permission_level = "standard", is_builtin = false, grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "all", entitlement_name = "Everyone", permission_level = "standard", is_builtin = true, grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "gone", permission_level = "unclassified", grant_type = "direct" },
  { source = "s", account_id = "left", entitlement_type = "group", entitlement_id = "usual", entitlement_name = "Usual", permission_level = "standard", is_builtin = false, grant_type = "direct" },
]
given."graph.peer_groups" = [
  { source = "s", account_id = "a", entitlement_type = "role", peer_group = "p", is_peer = false },
  { source = "s", account_id = "a", entitlement_type = "group", peer_group = "p", is_peer = false },
]
given."graph.peer_statistics" = [
  { source = "s", is_peer = false, entitlement_type = "role", entitlement_id = "r", peer_group = "p", peer_n = 30, peer_k = 0, peer_share = 0.0, peer_share_low = 0.0, peer_share_high = 0.1135, peer_verdict = "rare_confident", usual_rank = 10, usual_role = "Viewer" },
  { source = "s", peer_group = "p", is_peer = false, entitlement_type = "group", entitlement_id = "rare", peer_verdict = "rare_confident" },
  { source = "s", peer_group = "p", is_peer = false, entitlement_type = "group", entitlement_id = "usual", peer_verdict = "common" },
]
given."reference.rules" = [
  { rule_id = "leavers", severity = "critical", recommendation = "remove", marks = "account", reason = "The person has left.", comes_first = true },
  { rule_id = "rare_groups", severity = "low" },
  { rule_id = "unused", severity = "medium", recommendation = "remove", marks = "account", reason = "It is not used.", comes_first = false },
]
given."reports.finding_accounts" = [
  { finding_id = "1", rule_id = "leavers", title = "Leaver", source = "s", account_id = "left", status = "open", names_access = false },
  { finding_id = "2", rule_id = "rare_groups", title = "Rare", source = "s", account_id = "a", status = "open", names_access = true },
  { finding_id = "3", rule_id = "unused", title = "Unused", source = "s", account_id = "a", status = "accepted_risk", names_access = false },
]
given."reports.finding_access" = [
  { finding_id = "2", rule_id = "rare_groups", status = "open", source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "rare" },
]
expect = [
  { account_id = "a", entitlement_id = "r", recommendation = "reduce", recommendation_reason = "None of the 30 peers (p) have this role or a higher one. At least half of them have Viewer or less.", rule_ids = "", change_since_baseline = "no_baseline", first_seen_snapshot_id = "example" },
  { account_id = "a", entitlement_id = "rare", recommendation = "remove", rule_ids = "rare_groups" },
  { account_id = "a", entitlement_id = "usual", recommendation = "keep", rule_ids = "" },
  { account_id = "a", entitlement_id = "all", recommendation = "no_information", rule_ids = "" },
  { account_id = "a", entitlement_id = "gone", recommendation = "investigate", rule_ids = "" },
  { account_id = "left", entitlement_id = "usual", recommendation = "remove", recommendation_reason = "The person has left.", rule_ids = "leavers" },
]
*/
/* example
name = "high risk that is not usual among peers is investigated; what is usual, or not high risk, is kept"
given."graph.effective_access" = [
  { source = "s", account_id = "admin", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Admin", permission_level = "privileged", grant_type = "direct" },
  { source = "s", account_id = "viewer", entitlement_type = "role", entitlement_id = "v", entitlement_name = "Viewer", permission_level = "standard", grant_type = "direct" },
  { source = "s", account_id = "outsider", entitlement_type = "role", entitlement_id = "v", entitlement_name = "Viewer", permission_level = "standard", grant_type = "direct" },
  { source = "s", account_id = "outsider", entitlement_type = "group", entitlement_id = "g", entitlement_name = "Sales", permission_level = "standard", is_builtin = false, grant_type = "direct" },
  { source = "s", account_id = "viewer", entitlement_type = "group", entitlement_id = "g", entitlement_name = "Sales", permission_level = "standard", is_builtin = false, grant_type = "direct" },
  { source = "s", account_id = "admin", entitlement_type = "group", entitlement_id = "h", entitlement_name = "Owners", permission_level = "privileged", is_builtin = false, grant_type = "direct" },
]
given."graph.peer_groups" = [
  { source = "s", account_id = "admin", entitlement_type = "role", peer_group = "p", is_peer = false },
  { source = "s", account_id = "admin", entitlement_type = "group", peer_group = "p", is_peer = false },
  { source = "s", account_id = "viewer", entitlement_type = "role", peer_group = "p", is_peer = false },
  { source = "s", account_id = "viewer", entitlement_type = "group", peer_group = "p", is_peer = false },
  { source = "s", account_id = "outsider", entitlement_type = "role", peer_group = "p", is_peer = false },
  { source = "s", account_id = "outsider", entitlement_type = "group", peer_group = "p", is_peer = false },
]
given."graph.peer_statistics" = [
  { source = "s", is_peer = false, entitlement_type = "role", entitlement_id = "r", peer_group = "p", peer_n = 40, peer_k = 10, peer_share = 0.25, peer_share_low = 0.142, peer_share_high = 0.4019, peer_verdict = "neutral" },
  { source = "s", is_peer = false, entitlement_type = "role", entitlement_id = "v", peer_group = "p", peer_verdict = "neutral" },
  { source = "s", is_peer = false, entitlement_type = "group", entitlement_id = "g", peer_group = "p", peer_verdict = "neutral" },
  { source = "s", is_peer = false, entitlement_type = "group", entitlement_id = "h", peer_group = "p", peer_verdict = "common" },
]
given."reports.finding_accounts" = [
  { finding_id = "1", rule_id = "external", severity_rank = 2, source = "s", account_id = "outsider", status = "open", names_access = false },
  { finding_id = "2", rule_id = "names", severity_rank = 3, source = "s", account_id = "viewer", status = "open", names_access = false },
]
expect = [
  { account_id = "admin", entitlement_id = "r", recommendation = "investigate", recommendation_reason = "10 of the 40 peers (p) have this role or a higher one. It is high risk and not usual among them." },
  { account_id = "admin", entitlement_id = "h", recommendation = "keep" },
  { account_id = "outsider", entitlement_id = "v", recommendation = "investigate" },
  { account_id = "outsider", entitlement_id = "g", recommendation = "keep" },
  { account_id = "viewer", entitlement_id = "v", recommendation = "keep" },
  { account_id = "viewer", entitlement_id = "g", recommendation = "keep" },
]
*/
/* example
name = "both sides of a conflict are marked and name each other; other access is not marked"
given."graph.effective_access" = [
  { source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Data Admin", permission_level = "privileged", grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "p", entitlement_name = "Payments", permission_level = "standard", is_builtin = false, grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "q", entitlement_name = "Audit", permission_level = "standard", is_builtin = false, grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "x", entitlement_name = "Sales", permission_level = "standard", is_builtin = false, grant_type = "direct" },
]
given."reports.finding_access" = [
  { finding_id = "1", rule_id = "conflicts", status = "open", source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "r", side = "left" },
  { finding_id = "1", rule_id = "conflicts", status = "open", source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "p", side = "right" },
]
given."reports.conflicts" = [
  { finding_id = "1", source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "r", other_name = "group Payments" },
  { finding_id = "2", source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "r", other_name = "group Audit" },
  { finding_id = "1", source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "p", other_name = "role Data Admin" },
]
expect = [
  { entitlement_id = "r", recommendation = "remove", recommendation_reason = "One person must not hold this together with group Audit; group Payments. Remove this, or all of those.", rule_ids = "conflicts" },
  { entitlement_id = "p", recommendation = "remove", recommendation_reason = "One person must not hold this together with role Data Admin. Remove one of the two.", rule_ids = "conflicts" },
  { entitlement_id = "q", rule_ids = "" },
  { entitlement_id = "x", rule_ids = "" },
]
*/
/* example
name = "an account's findings mark all its access, its role, or its groups; the strongest recommendation is given"
given."graph.effective_access" = [
  { source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Designer", permission_level = "standard", grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "g", entitlement_name = "Sales", permission_level = "standard", is_builtin = false, grant_type = "direct" },
  { source = "s", account_id = "b", entitlement_type = "group", entitlement_id = "g", entitlement_name = "Sales", permission_level = "standard", is_builtin = false, grant_type = "direct" },
  { source = "s", account_id = "b", entitlement_type = "group", entitlement_id = "h", entitlement_name = "Audit", permission_level = "standard", is_builtin = false, grant_type = "direct" },
]
given."reference.rules" = [
  { rule_id = "owners", severity = "low", recommendation = "investigate", marks = "account", reason = "It has no owner.", comes_first = false },
  { rule_id = "roles", severity = "low", recommendation = "reduce", marks = "role", reason = "The role is too high.", comes_first = false },
  { rule_id = "groups", severity = "low", recommendation = "remove", marks = "group", reason = "The group is closed.", comes_first = false },
]
given."reports.finding_accounts" = [
  { finding_id = "1", rule_id = "owners", source = "s", account_id = "a", status = "open", names_access = false },
  { finding_id = "2", rule_id = "roles", source = "s", account_id = "a", status = "open", names_access = false },
  { finding_id = "3", rule_id = "groups", source = "s", account_id = "b", status = "open", names_access = true },
]
given."reports.finding_access" = [
  { finding_id = "3", rule_id = "groups", status = "open", source = "s", account_id = "b", entitlement_type = "group", entitlement_id = "h" },
]
expect = [
  { account_id = "a", entitlement_id = "r", recommendation = "reduce", recommendation_reason = "The role is too high." },
  { account_id = "a", entitlement_id = "g", recommendation = "investigate", recommendation_reason = "It has no owner." },
  { account_id = "b", entitlement_id = "g", recommendation = "no_information" },
  { account_id = "b", entitlement_id = "h", recommendation = "remove", recommendation_reason = "The group is closed." },
]
*/
/* example
name = "access is new, changed, unchanged or reappeared since the baseline"
given."baseline.snapshot" = [ { snapshot_id = "b", build_id = "b", as_of = 2025-12-01T00:00:00Z, finished_at = 2025-12-01T00:00:00Z } ]
given."baseline.grants" = [
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "same", grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "r", grant_type = "inherited", granted_via_group_id = "g" },
]
given."history.grants" = [
  { snapshot_id = "a", source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "back", grant_type = "direct" },
  { snapshot_id = "b", source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "same", grant_type = "direct" },
]
given."graph.effective_access" = [
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "same", grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "back", grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "fresh", grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "r", grant_type = "direct" },
]
expect = [
  { entitlement_id = "same", change_since_baseline = "unchanged", first_seen_snapshot_id = "b" },
  { entitlement_id = "back", change_since_baseline = "reappeared", first_seen_snapshot_id = "a" },
  { entitlement_id = "fresh", change_since_baseline = "new", first_seen_snapshot_id = "example" },
  { entitlement_id = "r", change_since_baseline = "changed" },
]
*/
/* example
name = "the decision of the last campaign that was signed before the extract ended is the prior one"
given."reference.snapshot" = [ { snapshot_id = "example", finished_at = 2026-01-01T00:00:00Z } ]
given."graph.effective_access" = [
  { source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "r", grant_type = "direct" },
  { source = "s", account_id = "b", entitlement_type = "role", entitlement_id = "r", grant_type = "direct" },
]
given."review.sign_offs" = [
  { campaign = "old", snapshot_id = "a", signed_at = 2025-10-01T00:00:00Z },
  { campaign = "late", snapshot_id = "b", signed_at = 2026-01-01T00:00:01Z },
]
given."review.decisions" = [
  { campaign = "old", item_id = "5492130d02618852", sequence = 1, decision = "keep", reviewer_email = "m@example.com", imported_at = 2025-09-01T00:00:00Z },
  { campaign = "old", item_id = "5492130d02618852", sequence = 2, decision = "remove", reviewer_email = "m@example.com", imported_at = 2025-09-02T00:00:00Z },
  { campaign = "late", item_id = "5492130d02618852", sequence = 1, decision = "keep", reviewer_email = "n@example.com", imported_at = 2025-12-02T00:00:00Z },
  { campaign = "open", item_id = "5492130d02618852", sequence = 1, decision = "keep", reviewer_email = "o@example.com", imported_at = 2025-12-02T00:00:00Z },
]
expect = [
  { account_id = "a", prior_decision = "remove", prior_reviewer = "m@example.com", prior_decision_at = 2025-09-02T00:00:00Z },
  { account_id = "b", prior_decision = "<null>" },
]
*/
