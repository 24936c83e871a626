/*
summary = "One item of a review campaign, a role or group of one account, with its decision as of this extract."
reads   = [
    "review.items", "review.decisions", "review.reassignments", "graph.review_campaigns", "graph.accounts", "graph.people",
    "staging.review_items", "staging.reviewers",
]
grain   = ["campaign", "item_id"]

[columns]
campaign         = "varchar: the name of the review campaign"
item_id          = "varchar: hash of source, account and entitlement; the same in every campaign"
source           = "varchar: the source's name in the configuration"
account_id       = "varchar: the account"
user_name        = "varchar: login name of the account when the campaign was opened"
email            = "varchar: e-mail address of the account when the campaign was opened"
person_id        = "varchar: the person the account belonged to when the campaign was opened"
entitlement_type = "varchar: role or group"
entitlement_id   = "varchar: id of the role or group"
entitlement_name = "varchar: its name, as shown to people"
permission_level = "varchar: privileged, standard or unclassified"
is_high_risk     = "boolean: the risk of the item was high or critical"
is_questioned    = "boolean: the item had an open finding, or a recommendation to remove or reduce"
reviewer_email   = "varchar: e-mail address of the assigned reviewer, the last one if the item was handed over"
decided_by       = "varchar: e-mail address of the reviewer who decided; null while undecided"
decision         = "varchar: keep, remove, reduce, defer or exception; null while undecided"
reason           = "varchar: the reason, in the reviewer's words"
target_role      = "varchar: the role to reduce to, if the decision is reduce; else null"
decided_at       = "timestamp: when the reviewer decided; null if the reviewer gave no time"
method           = "varchar: how it was decided: link or oidc (on the page), or file; null while undecided"
is_bulk          = "boolean: the reviewer accepted the recommendations for a person in one step; null while undecided"
seconds_taken    = "double: seconds since the reviewer's previous decision; null if either time is missing, and for all but one of those accepted in one step"
place            = "bigint: position in the reviewer's packet, from 1"
run_length       = "bigint: number of consecutive items in the packet with the same decision, including this one; null while undecided"
is_self_review   = "boolean: the account's holder decided, under any known address; null if undecided or not comparable"
is_signed        = "boolean: the campaign is signed off"
is_current       = "boolean: the campaign is open, or is the last one signed off"
is_standing      = "boolean: the campaign is signed off, and no campaign signed off later covers the item"
*/
with

latest_sequences as (
    select decisions.campaign, decisions.item_id, max(decisions.sequence) as sequence
    from review.decisions as decisions
    join graph.review_campaigns as campaigns
        on campaigns.campaign = decisions.campaign and decisions.imported_at <= campaigns.known_at
    group by decisions.campaign, decisions.item_id
),

latest_decisions as (
    select decisions.*
    from review.decisions as decisions
    join latest_sequences as latest on latest.campaign = decisions.campaign and latest.item_id = decisions.item_id
        and latest.sequence = decisions.sequence
    where decisions.decision <> 'withdrawn'
),

current_reviewers as (
    select reassignments.campaign, reassignments.item_id, max_by(reassignments.to_email, reassignments.sequence) as email
    from review.reassignments as reassignments
    join graph.review_campaigns as campaigns
        on campaigns.campaign = reassignments.campaign and reassignments.imported_at <= campaigns.known_at
    group by reassignments.campaign, reassignments.item_id
),

-- The place at opening, unless items were handed over.
assigned_items as (
    select
        items.*,
        coalesce(reviewers.email, items.reviewer_email) as current_reviewer_email,
        case when items.place is not null then
            row_number() over (
                partition by items.campaign, coalesce(reviewers.email, items.reviewer_email)
                order by items.position, items.place, items.reviewer_email, items.item_id
            )
        end as current_place
    from review.items as items
    left join current_reviewers as reviewers
        on reviewers.campaign = items.campaign and reviewers.item_id = items.item_id
    where items.exclusion_reason is null
),

-- A reviewer may decide under any address of theirs, so all of them are collected.
person_addresses as (
    select person_id, email_key as address from graph.people
    union
    select person_id, unnest(alias_keys) from graph.people
    union
    select person_id, email_key from graph.accounts where person_id is not null and email_key is not null
    union
    select person_id, user_name_key from graph.accounts where person_id is not null and user_name_key is not null
),

reviewed_items as (
    select
        items.*, keyed.email_key, keyed.user_name_key, latest.reviewer_email as decided_by,
        reviewer.reviewer_key as decided_by_key, latest.decision, latest.reason, latest.target_role, latest.decided_at,
        case when latest.decision is not null then coalesce(latest.method, 'file') end as method,
        case when latest.decision is not null then coalesce(latest.is_bulk, false) end as is_bulk,
        -- Consecutive items with the same decision have the same difference of the two positions.
        items.current_place - row_number() over (
            partition by items.campaign, items.current_reviewer_email, latest.decision order by items.current_place
        ) as series
    from assigned_items as items
    left join staging.review_items as keyed on keyed.campaign = items.campaign and keyed.item_id = items.item_id
    left join latest_decisions as latest on latest.campaign = items.campaign and latest.item_id = items.item_id
    left join staging.reviewers as reviewer on reviewer.reviewer_email = latest.reviewer_email
),

timed_items as (
    select
        *,
        lag(decided_at) over (partition by campaign, decided_by order by decided_at, current_place, item_id) as decided_before_at
    from reviewed_items
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
    coalesce(items.rule_ids, '') <> '' or coalesce(items.recommendation in ('remove', 'reduce'), false) as is_questioned,
    items.current_reviewer_email as reviewer_email,
    items.decided_by,
    items.decision,
    items.reason,
    items.target_role,
    items.decided_at,
    items.method,
    items.is_bulk,
    -- Accepted in one step: one pause for all of them.
    case when not (items.is_bulk and items.decided_at = items.decided_before_at) then
        epoch(items.decided_at - items.decided_before_at)
    end as seconds_taken,
    items.current_place as place,
    case when items.decision is not null and items.current_place is not null then
        count(*) over (partition by items.campaign, items.current_reviewer_email, items.decision, items.series)
    end as run_length,
    case
        when items.decision is null then null
        when own.address is not null or items.decided_by_key in (items.email_key, items.user_name_key) then true
        -- No person, e-mail address or user name of the account can be compared with the reviewer's address.
        when items.person_id is null and items.email is null and coalesce(items.user_name, '') not like '%@%' then null
        else false
    end as is_self_review,
    campaigns.signed_at is not null as is_signed,
    campaigns.is_current,
    campaigns.signed_at is not null and row_number() over (
        partition by items.item_id
        order by campaigns.signed_at is null, campaigns.signed_at desc, campaigns.campaign desc
    ) = 1 as is_standing
from timed_items as items
join graph.review_campaigns as campaigns on campaigns.campaign = items.campaign
left join person_addresses as own on own.person_id = items.person_id and own.address = items.decided_by_key

/* example
name = "the newest decision by then counts; a later sign-off replaces an earlier one, an open campaign does not"
given."graph.review_campaigns" = [
  { campaign = "old", signed_at = 2025-03-01T00:00:00Z, known_at = 2026-01-01T00:00:00Z, is_current = false },
  { campaign = "last", signed_at = 2025-06-01T00:00:00Z, known_at = 2026-01-01T00:00:00Z, is_current = true },
  { campaign = "open", known_at = 2026-01-01T00:00:00Z, is_current = true },
]
given."review.items" = [
  { campaign = "old", item_id = "1", source = "s", account_id = "a", risk = "low", reviewer_email = "r" },
  { campaign = "last", item_id = "1", source = "s", account_id = "a", risk = "low", reviewer_email = "r", place = 2 },
  { campaign = "last", item_id = "2", source = "s", account_id = "b", risk = "high", reviewer_email = "r", place = 1 },
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
/* example
name = "another decision or none ends a run; seconds need both times; runs are counted per reviewer"
given."graph.review_campaigns" = [ { campaign = "Q", known_at = 2026-01-01T00:00:00Z, is_current = true } ]
given."review.items" = [
  { campaign = "Q", item_id = "1", source = "s", account_id = "1", risk = "low", reviewer_email = "r", place = 1 },
  { campaign = "Q", item_id = "2", source = "s", account_id = "2", risk = "low", reviewer_email = "r", place = 2 },
  { campaign = "Q", item_id = "3", source = "s", account_id = "3", risk = "low", reviewer_email = "r", place = 3 },
  { campaign = "Q", item_id = "4", source = "s", account_id = "4", risk = "low", reviewer_email = "r", place = 4 },
  { campaign = "Q", item_id = "5", source = "s", account_id = "5", risk = "low", reviewer_email = "r", place = 5 },
  { campaign = "Q", item_id = "6", source = "s", account_id = "6", risk = "low", reviewer_email = "other", place = 1 },
]
given."review.decisions" = [
  { campaign = "Q", item_id = "1", sequence = 1, decision = "keep", reviewer_email = "r", imported_at = 2025-12-01T00:00:00Z, decided_at = 2025-11-01T00:00:00Z },
  { campaign = "Q", item_id = "2", sequence = 1, decision = "keep", reviewer_email = "r", imported_at = 2025-12-01T00:00:00Z, decided_at = 2025-11-01T00:00:08Z },
  { campaign = "Q", item_id = "3", sequence = 1, decision = "remove", reviewer_email = "r", imported_at = 2025-12-01T00:00:00Z },
  { campaign = "Q", item_id = "5", sequence = 1, decision = "keep", reviewer_email = "r", imported_at = 2025-12-01T00:00:00Z },
  { campaign = "Q", item_id = "6", sequence = 1, decision = "keep", reviewer_email = "other", imported_at = 2025-12-01T00:00:00Z },
]
expect = [
  { item_id = "1", run_length = 2, seconds_taken = "<null>" }, { item_id = "2", run_length = 2, seconds_taken = 8.0 },
  { item_id = "3", run_length = 1, seconds_taken = "<null>" }, { item_id = "4", run_length = "<null>" },
  { item_id = "5", run_length = 1 }, { item_id = "6", run_length = 1 },
]
*/
/* example
name = "an address, alias or other account of the holder is a self-review; a colleague's is not; without anything to compare it is null"
given."graph.review_campaigns" = [ { campaign = "Q", known_at = 2026-01-01T00:00:00Z, is_current = true } ]
given."staging.review_items" = [
  { campaign = "Q", item_id = "1", email_key = "ann@x.org" }, { campaign = "Q", item_id = "2", email_key = "a@x.org" },
]
given."staging.reviewers" = [
  { reviewer_email = "ann@x.org", reviewer_key = "ann@x.org" }, { reviewer_email = "bob@x.org", reviewer_key = "bob@x.org" },
  { reviewer_email = "ann.old@x.org", reviewer_key = "ann.old@x.org" }, { reviewer_email = "ann@lab.org", reviewer_key = "ann@lab.org" },
]
given."graph.people" = [
  { person_id = "p", email_key = "ann@x.org", alias_keys = ["ann.old@x.org"] },
  { person_id = "q", email_key = "bob@x.org", alias_keys = [] },
]
given."graph.accounts" = [ { source = "other", account_id = "9", person_id = "p", email_key = "ann@lab.org" } ]
given."review.items" = [
  { campaign = "Q", item_id = "1", source = "s", account_id = "1", email = "Ann@x.org", risk = "low" },
  { campaign = "Q", item_id = "2", source = "s", account_id = "2", email = "a@x.org", person_id = "p", risk = "low" },
  { campaign = "Q", item_id = "3", source = "s", account_id = "3", email = "a@x.org", person_id = "p", risk = "low" },
  { campaign = "Q", item_id = "4", source = "s", account_id = "4", email = "a@x.org", person_id = "p", risk = "low" },
  { campaign = "Q", item_id = "5", source = "s", account_id = "5", user_name = "etl", risk = "low" },
  { campaign = "Q", item_id = "6", source = "s", account_id = "6", email = "c@x.org", risk = "low" },
]
given."review.decisions" = [
  { campaign = "Q", item_id = "1", sequence = 1, decision = "keep", reviewer_email = "ann@x.org", imported_at = 2025-12-01T00:00:00Z },
  { campaign = "Q", item_id = "2", sequence = 1, decision = "keep", reviewer_email = "ann.old@x.org", imported_at = 2025-12-01T00:00:00Z },
  { campaign = "Q", item_id = "3", sequence = 1, decision = "keep", reviewer_email = "ann@lab.org", imported_at = 2025-12-01T00:00:00Z },
  { campaign = "Q", item_id = "4", sequence = 1, decision = "keep", reviewer_email = "bob@x.org", imported_at = 2025-12-01T00:00:00Z },
  { campaign = "Q", item_id = "5", sequence = 1, decision = "keep", reviewer_email = "bob@x.org", imported_at = 2025-12-01T00:00:00Z },
]
expect = [
  { item_id = "1", is_self_review = true }, { item_id = "2", is_self_review = true }, { item_id = "3", is_self_review = true },
  { item_id = "4", is_self_review = false }, { item_id = "5", is_self_review = "<null>" }, { item_id = "6", is_self_review = "<null>" },
]
*/
/* example
name = "a decision taken back is none; accepted in one step, one pause counts for all; a handed-over item has its new reviewer and a place among the others"
given."graph.review_campaigns" = [ { campaign = "Q", known_at = 2026-01-01T00:00:00Z, is_current = true } ]
given."review.items" = [
  { campaign = "Q", item_id = "1", source = "s", account_id = "1", risk = "low", reviewer_email = "r", place = 1, position = 1 },
  { campaign = "Q", item_id = "2", source = "s", account_id = "2", risk = "low", reviewer_email = "r", place = 2, position = 3 },
  { campaign = "Q", item_id = "3", source = "s", account_id = "2", risk = "low", reviewer_email = "r", place = 3, position = 4 },
  { campaign = "Q", item_id = "4", source = "s", account_id = "3", risk = "low", reviewer_email = "other", place = 1, position = 2 },
  { campaign = "Q", item_id = "5", source = "s", account_id = "4", risk = "low", reviewer_email = "other", place = 2, position = 5 },
]
given."review.reassignments" = [
  { campaign = "Q", item_id = "4", sequence = 1, to_email = "third", imported_at = 2025-12-01T00:00:00Z },
  { campaign = "Q", item_id = "4", sequence = 2, to_email = "r", imported_at = 2025-12-02T00:00:00Z },
  { campaign = "Q", item_id = "5", sequence = 1, to_email = "r", imported_at = 2026-01-01T00:00:01Z },
]
given."review.decisions" = [
  { campaign = "Q", item_id = "1", sequence = 1, decision = "keep", reviewer_email = "r", imported_at = 2025-12-01T00:00:00Z, decided_at = 2025-11-01T00:00:00Z, method = "link", is_bulk = false },
  { campaign = "Q", item_id = "2", sequence = 1, decision = "keep", reviewer_email = "r", imported_at = 2025-12-01T00:00:00Z, decided_at = 2025-11-01T00:00:30Z, method = "link", is_bulk = true },
  { campaign = "Q", item_id = "3", sequence = 1, decision = "keep", reviewer_email = "r", imported_at = 2025-12-01T00:00:00Z, decided_at = 2025-11-01T00:00:30Z, method = "link", is_bulk = true },
  { campaign = "Q", item_id = "4", sequence = 1, decision = "keep", reviewer_email = "other", imported_at = 2025-12-01T00:00:00Z },
  { campaign = "Q", item_id = "4", sequence = 2, decision = "withdrawn", reviewer_email = "r", imported_at = 2025-12-03T00:00:00Z, undoes = "x" },
]
expect = [
  { item_id = "1", place = 1, method = "link", is_bulk = false, seconds_taken = "<null>", run_length = 1 },
  { item_id = "4", place = 2, reviewer_email = "r", decision = "<null>", decided_by = "<null>", is_bulk = "<null>" },
  { item_id = "2", place = 3, is_bulk = true, seconds_taken = 30.0, run_length = 2 },
  { item_id = "3", place = 4, is_bulk = true, seconds_taken = "<null>", run_length = 2 },
  { item_id = "5", place = 1, reviewer_email = "other" },
]
*/
