/*
summary = "One role or group of one account that a review campaign asked somebody about, with the decision that held by the time of this extract."
reads   = ["review.items", "review.decisions", "graph.review_campaigns"]
grain   = ["campaign", "item_id"]

[columns]
campaign         = "varchar: the review campaign's name"
item_id          = "varchar: hash of source, account and entitlement: what one decision is about; the same in every campaign"
source           = "varchar: the source's name in the configuration"
account_id       = "varchar: the account"
user_name        = "varchar: its login name when the campaign was opened"
email            = "varchar: its e-mail address then"
person_id        = "varchar: the person it belonged to then"
entitlement_type = "varchar: role or group"
entitlement_id   = "varchar: its id"
entitlement_name = "varchar: the name people see"
permission_level = "varchar: privileged, standard or unclassified"
is_high_risk     = "boolean: its risk was high or critical"
reviewer_email   = "varchar: who was asked"
decided_by       = "varchar: who decided; null while nobody has"
decision         = "varchar: keep, remove, reduce, defer or exception; null while nobody has decided"
reason           = "varchar: why, in the reviewer's words"
decided_at       = "timestamp: when, where the reviewer says so"
place            = "bigint: place in the reviewer's packet, from 1"
is_signed        = "boolean: the campaign was signed off"
is_current       = "boolean: the campaign is open, or the last that was signed off"
is_standing      = "boolean: no campaign that was signed off later decided on it again"
*/
with

known as (
    select decisions.campaign, decisions.item_id, max(decisions.sequence) as sequence
    from review.decisions as decisions
    join graph.review_campaigns as campaigns
        on campaigns.campaign = decisions.campaign and decisions.imported_at <= campaigns.known_at
    group by decisions.campaign, decisions.item_id
),

held as (
    select decisions.*
    from review.decisions as decisions
    join known on known.campaign = decisions.campaign and known.item_id = decisions.item_id
        and known.sequence = decisions.sequence
)

select
    items.campaign,
    items.item_id,
    items.source,
    items.account_id,
    items.user_name,
    items.email,
    items.person_id,
    items.entitlement_type,
    items.entitlement_id,
    items.entitlement_name,
    items.permission_level,
    items.risk in ('critical', 'high') as is_high_risk,
    items.reviewer_email,
    held.reviewer_email as decided_by,
    held.decision,
    held.reason,
    held.decided_at,
    row_number() over (
        partition by items.campaign, items.reviewer_email
        order by
            case
                when items.risk in ('critical', 'high') then 1
                when items.change_since_baseline in ('new', 'changed', 'reappeared') then 2
                when items.prior_decision = 'keep' and items.change_since_baseline = 'unchanged' then 4
                else 3
            end,
            items.source, coalesce(items.display_name, items.user_name, items.account_id), items.entitlement_type,
            coalesce(items.entitlement_name, items.entitlement_id), items.item_id
    ) as place,
    campaigns.signed_at is not null as is_signed,
    campaigns.is_current,
    campaigns.signed_at is not null and row_number() over (
        partition by items.item_id
        order by campaigns.signed_at is null, campaigns.signed_at desc, campaigns.campaign desc
    ) = 1 as is_standing
from review.items as items
join graph.review_campaigns as campaigns on campaigns.campaign = items.campaign
left join held on held.campaign = items.campaign and held.item_id = items.item_id
where items.exclusion_reason is null

/* example
name = "the newest decision that came in by then holds; a later sign-off replaces an earlier one, an open campaign does not"
given."graph.review_campaigns" = [
  { campaign = "old", signed_at = 2025-03-01T00:00:00Z, known_at = 2026-01-01T00:00:00Z, is_current = false },
  { campaign = "last", signed_at = 2025-06-01T00:00:00Z, known_at = 2026-01-01T00:00:00Z, is_current = true },
  { campaign = "open", known_at = 2026-01-01T00:00:00Z, is_current = true },
]
given."review.items" = [
  { campaign = "old", item_id = "1", source = "s", account_id = "a", risk = "low", reviewer_email = "r" },
  { campaign = "last", item_id = "1", source = "s", account_id = "a", risk = "low", reviewer_email = "r" },
  { campaign = "last", item_id = "2", source = "s", account_id = "b", risk = "high", reviewer_email = "r" },
  { campaign = "open", item_id = "1", source = "s", account_id = "a", risk = "low", reviewer_email = "r" },
  { campaign = "open", item_id = "3", source = "s", account_id = "c", risk = "low", exclusion_reason = "training" },
]
given."review.decisions" = [
  { campaign = "old", item_id = "1", sequence = 1, decision = "keep", reviewer_email = "r", imported_at = 2025-02-01T00:00:00Z },
  { campaign = "last", item_id = "1", sequence = 1, decision = "keep", reviewer_email = "r", imported_at = 2025-05-01T00:00:00Z },
  { campaign = "last", item_id = "1", sequence = 2, decision = "remove", reviewer_email = "r", imported_at = 2025-05-02T00:00:00Z },
  { campaign = "open", item_id = "1", sequence = 1, decision = "keep", reviewer_email = "r", imported_at = 2026-01-01T00:00:01Z },
]
expect = [
  { campaign = "old", item_id = "1", decision = "keep", is_standing = false },
  { campaign = "last", item_id = "1", decision = "remove", is_standing = true, place = 2 },
  { campaign = "last", item_id = "2", decision = "<null>", is_standing = true, is_high_risk = true, place = 1 },
  { campaign = "open", item_id = "1", decision = "<null>", is_standing = false, is_signed = false },
]
*/
