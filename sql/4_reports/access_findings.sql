/*
summary = "One role or group of one account that an open finding marks, and what is then recommended."
reads   = [
    "reports.held_access", "reports.finding_accounts", "reports.finding_access", "reports.conflicts", "reference.rules",
]
grain   = ["item_id"]

[columns]
item_id               = "varchar: the role or group of the account, as in reports.held_access"
recommendation        = "varchar: keep, remove, reduce, investigate or no_information"
recommendation_reason = "varchar: reason for the recommendation, as a sentence"
rule_ids              = "varchar: rules with an open finding on the account, its person, or this role or group"
*/
with

-- The rules in the order in which their recommendations count.
ranked_rules as (
    select
        rule_id, recommendation, reason, marks, comes_first,
        row_number() over (
            order by
                comes_first desc,
                case recommendation when 'remove' then 1 when 'reduce' then 2 when 'investigate' then 3 else 4 end,
                reason, rule_id
        ) as place
    from reference.rules
    where recommendation is not null
),

account_rules as (
    select
        found.source, found.account_id, array_to_string(list_sort(list(distinct found.rule_id)), '; ') as rule_ids,
        min(found.severity_rank) as severity_rank, min(rules.place) as place
    from reports.finding_accounts as found
    left join ranked_rules as rules on rules.rule_id = found.rule_id and rules.marks = 'account'
    where found.status = 'open' and not found.names_access
    group by found.source, found.account_id
),

-- A finding about an account may mark only its role, or only its groups.
marked_types as (
    select found.source, found.account_id, rules.marks as entitlement_type, min(rules.place) as place
    from reports.finding_accounts as found
    join ranked_rules as rules on rules.rule_id = found.rule_id and rules.marks <> 'account'
    where found.status = 'open' and not found.names_access
    group by found.source, found.account_id, rules.marks
),

-- A finding that names roles or groups marks only those.
item_rules as (
    select
        named.source, named.account_id, named.entitlement_type, named.entitlement_id,
        array_to_string(list_sort(list(distinct named.rule_id)), '; ') as rule_ids,
        min(found.severity_rank) as severity_rank, min(rules.place) as place
    from reports.finding_access as named
    left join reports.finding_accounts as found
        on found.finding_id = named.finding_id and found.source = named.source
        and found.account_id = named.account_id
    left join ranked_rules as rules
        on rules.rule_id = named.rule_id and (rules.marks = 'account' or rules.marks = named.entitlement_type)
    where named.status = 'open'
    group by named.source, named.account_id, named.entitlement_type, named.entitlement_id
),

conflicts as (
    select
        source, account_id, entitlement_type, entitlement_id,
        array_to_string(list_sort(list(distinct other_name)), '; ') as others,
        count(distinct other_name) as other_count
    from reports.conflicts
    group by source, account_id, entitlement_type, entitlement_id
),

marked_items as (
    select
        item.item_id, item.peer_verdict, item.reason_kind, item.recommendation, item.recommendation_reason,
        concat_ws('; ', account_rules.rule_ids, item_rules.rule_ids) as rule_ids,
        least(account_rules.place, marked_types.place, item_rules.place) as place,
        conflicts.others as conflicts_with, conflicts.other_count,
        -- A finding about the account bears on its role: without the role, the account is of no use.
        coalesce(item_rules.severity_rank, 9) <= 2
            or (item.entitlement_type = 'role' and coalesce(account_rules.severity_rank, 9) <= 2) as is_high_risk
    from reports.held_access as item
    left join account_rules on account_rules.source = item.source and account_rules.account_id = item.account_id
    left join marked_types
        on marked_types.source = item.source and marked_types.account_id = item.account_id
        and marked_types.entitlement_type = item.entitlement_type
    left join item_rules
        on item_rules.source = item.source and item_rules.account_id = item.account_id
        and item_rules.entitlement_type = item.entitlement_type and item_rules.entitlement_id = item.entitlement_id
    left join conflicts
        on conflicts.source = item.source and conflicts.account_id = item.account_id
        and conflicts.entitlement_type = item.entitlement_type and conflicts.entitlement_id = item.entitlement_id
    where account_rules.account_id is not null or item_rules.account_id is not null
),

-- The first reason that applies, most serious first, between those that hold without a finding.
reasons as (
    select
        item.*, rules.recommendation as suggested, rules.reason as suggested_because,
        case
            when rules.comes_first then 'finding'
            when item.reason_kind = 'dangling' then 'as held'
            when item.conflicts_with is not null then 'conflict'
            when item.reason_kind in ('built-in', 'unclassified') then 'as held'
            when rules.recommendation in ('remove', 'reduce') then 'finding'
            when item.reason_kind in ('above peers', 'rare', 'perhaps rare') then 'as held'
            when rules.recommendation is not null then 'finding'
            when item.reason_kind = 'like peers' and item.peer_verdict = 'neutral' and item.is_high_risk
                then 'not usual'
            else 'as held'
        end as reason
    from marked_items as item
    left join ranked_rules as rules on rules.place = item.place
)

select
    item_id,
    case reason
        when 'finding' then suggested
        when 'conflict' then 'remove'
        when 'not usual' then 'investigate'
        else recommendation
    end as recommendation,
    case reason
        when 'finding' then suggested_because
        when 'conflict' then 'One person must not hold this together with ' || conflicts_with || '. Remove '
            || case when other_count = 1 then 'one of the two.' else 'this, or all of those.' end
        -- The comparison with peers stays; what it led to does not.
        when 'not usual' then regexp_replace(recommendation_reason, '(; that is not rare among them)?[.]$', '')
            || '. It is high risk and not usual among them.'
        else recommendation_reason
    end as recommendation_reason,
    rule_ids
from reasons

/* example
name = "the recommendation of a finding gives way to a more serious reason, and comes before a less serious one"
given."reports.held_access" = [
  { item_id = "role", source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "r", reason_kind = "above peers", recommendation = "reduce", recommendation_reason = "Peers have less." },
  { item_id = "rare", source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "rare", reason_kind = "rare", recommendation = "remove", recommendation_reason = "Rare." },
  { item_id = "usual", source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "usual", reason_kind = "like peers", peer_verdict = "common", recommendation = "keep", recommendation_reason = "Usual." },
  { item_id = "left", source = "s", account_id = "left", entitlement_type = "group", entitlement_id = "gone", reason_kind = "dangling", recommendation = "investigate", recommendation_reason = "No group has this id." },
  { item_id = "conflict", source = "s", account_id = "c", entitlement_type = "group", entitlement_id = "p", reason_kind = "like peers", peer_verdict = "common", recommendation = "keep", recommendation_reason = "Usual." },
  { item_id = "unmarked", source = "s", account_id = "b", entitlement_type = "group", entitlement_id = "usual", reason_kind = "like peers", peer_verdict = "common", recommendation = "keep", recommendation_reason = "Usual." },
]
given."reference.rules" = [
  { rule_id = "leavers", severity = "critical", recommendation = "remove", marks = "account", reason = "The person has left.", comes_first = true },
  { rule_id = "rare_groups", severity = "low" },
  { rule_id = "unclear", severity = "medium", recommendation = "investigate", marks = "role", reason = "It is unclear.", comes_first = false },
  { rule_id = "unused", severity = "medium", recommendation = "remove", marks = "account", reason = "It is not used.", comes_first = false },
]
given."reports.finding_accounts" = [
  { finding_id = "1", rule_id = "leavers", source = "s", account_id = "left", status = "open", names_access = false, severity_rank = 1 },
  { finding_id = "2", rule_id = "rare_groups", source = "s", account_id = "a", status = "open", names_access = true, severity_rank = 4 },
  { finding_id = "3", rule_id = "unused", source = "s", account_id = "a", status = "accepted_risk", names_access = false, severity_rank = 3 },
  { finding_id = "4", rule_id = "unclear", source = "s", account_id = "a", status = "open", names_access = false, severity_rank = 3 },
]
given."reports.finding_access" = [
  { finding_id = "2", rule_id = "rare_groups", status = "open", source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "rare" },
  { finding_id = "5", rule_id = "rare_groups", status = "open", source = "s", account_id = "c", entitlement_type = "group", entitlement_id = "p" },
]
given."reports.conflicts" = [
  { finding_id = "5", source = "s", account_id = "c", entitlement_type = "group", entitlement_id = "p", other_name = "role Data Admin" },
]
expect = [
  { item_id = "role", recommendation = "reduce", recommendation_reason = "Peers have less.", rule_ids = "unclear" },
  { item_id = "rare", recommendation = "remove", recommendation_reason = "Rare.", rule_ids = "unclear; rare_groups" },
  { item_id = "usual", recommendation = "keep", recommendation_reason = "Usual.", rule_ids = "unclear" },
  { item_id = "left", recommendation = "remove", recommendation_reason = "The person has left.", rule_ids = "leavers" },
  { item_id = "conflict", recommendation = "remove", recommendation_reason = "One person must not hold this together with role Data Admin. Remove one of the two.", rule_ids = "rare_groups" },
]
*/
/* example
name = "a serious finding about an account makes its role high risk, one about a group only that group"
given."reports.held_access" = [
  { item_id = "role", source = "s", account_id = "outsider", entitlement_type = "role", entitlement_id = "v", reason_kind = "like peers", peer_verdict = "neutral", recommendation = "keep", recommendation_reason = "10 of the 40 peers have this; that is not rare among them." },
  { item_id = "group", source = "s", account_id = "outsider", entitlement_type = "group", entitlement_id = "g", reason_kind = "like peers", peer_verdict = "neutral", recommendation = "keep", recommendation_reason = "Half of them have this." },
  { item_id = "mild", source = "s", account_id = "viewer", entitlement_type = "role", entitlement_id = "v", reason_kind = "like peers", peer_verdict = "neutral", recommendation = "keep", recommendation_reason = "Half of them have this." },
]
given."reports.finding_accounts" = [
  { finding_id = "1", rule_id = "external", severity_rank = 2, source = "s", account_id = "outsider", status = "open", names_access = false },
  { finding_id = "2", rule_id = "names", severity_rank = 3, source = "s", account_id = "viewer", status = "open", names_access = false },
]
expect = [
  { item_id = "role", recommendation = "investigate", recommendation_reason = "10 of the 40 peers have this. It is high risk and not usual among them." },
  { item_id = "group", recommendation = "keep", recommendation_reason = "Half of them have this." },
  { item_id = "mild", recommendation = "keep", recommendation_reason = "Half of them have this." },
]
*/
