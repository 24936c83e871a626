/*
summary = "One decision of a signed-off review to remove or reduce access, with its outcome in this snapshot."
reads   = [
    "graph.review_decisions", "graph.review_campaigns", "graph.revocations", "graph.role_names", "graph.memberships",
    "review.changes", "reports.protected_accounts", "reference.snapshot",
]
grain   = ["campaign", "item_id"]

[columns]
campaign   = "varchar: the review campaign's name"
item_id    = "varchar: the review item"
source     = "varchar: the source's name in the configuration"
account_id = "varchar: the account"
decision   = "varchar: remove or reduce"
is_current = "boolean: belongs to the last review that was signed off"
outcome    = "varchar: verified (done and verified), unverified (not yet verified), gone (already gone) or left_out"
reason     = "varchar: why it was left out; otherwise null"
is_sent    = "boolean: a change for it was sent to the source"
*/
with

removal_decisions as (
    select decisions.*
    from graph.review_decisions as decisions
    where decisions.is_signed and decisions.decision in ('remove', 'reduce')
),

-- The newest change that was made or tried for a decision.
ranked_changes as (
    select
        changes.campaign, changes.item_id, changes.state, changes.detail,
        row_number() over (
            partition by changes.campaign, changes.item_id order by changes.applied_at desc, changes.change_id
        ) as place,
        max(case when changes.state in ('applied', 'unclear', 'failed') then 1 else 0 end) over (
            partition by changes.campaign, changes.item_id
        ) as sent
    from review.changes as changes
    cross join reference.snapshot as snapshot
    where changes.item_id is not null and changes.applied_at <= snapshot.started_at
),

known_targets as (
    select source, name, min(role_id) as role_id from graph.role_names group by source, name
),

decisions_with_reasons as (
    select
        removals.campaign, removals.item_id, removals.source, removals.account_id, removals.decision,
        campaign.is_current, removals.is_standing, revoked.is_present, coalesce(tried.sent = 1, false) as is_sent,
        case
            when not removals.is_standing then 'a later review decided on it again'
            when revoked.is_present = false then null
            when tried.state = 'left_out' then tried.detail
            when tried.state = 'skipped' then 'skipped when the plan was applied: ' || coalesce(tried.detail, 'no reason')
            when tried.sent = 1 then null
            when protected.reason is not null
                and (protected.applies_to = 'any' or removals.entitlement_type = 'role') then protected.reason
            when removals.decision = 'reduce' and known_targets.role_id is null
                then 'the role that should replace it does not exist'
            when membership.seen_in = 'group' then
                'only the group lists the membership, and this program does not change that list: remove it in Sisense'
        end as reason
    from removal_decisions as removals
    join graph.review_campaigns as campaign on campaign.campaign = removals.campaign
    left join graph.revocations as revoked on revoked.campaign = removals.campaign and revoked.item_id = removals.item_id
    left join ranked_changes as tried on tried.campaign = removals.campaign and tried.item_id = removals.item_id and tried.place = 1
    left join reports.protected_accounts as protected
        on protected.source = removals.source and protected.account_id = removals.account_id
    left join known_targets
        on known_targets.source = removals.source and known_targets.name = lower(removals.target_role)
    left join graph.memberships as membership
        on removals.entitlement_type = 'group' and membership.source = removals.source
        and membership.account_id = removals.account_id and membership.group_id = removals.entitlement_id
)

select
    campaign,
    item_id,
    source,
    account_id,
    decision,
    is_current,
    case
        when reason is not null then 'left_out'
        when is_present = false and is_sent then 'verified'
        when is_present = false then 'gone'
        else 'unverified'
    end as outcome,
    reason,
    is_sent
from decisions_with_reasons

/* example
name = "absent after a change is verified, absent without one is already gone; present, or not visible, is not yet verified; a reason leaves it out"
given."reference.snapshot" = [ { snapshot_id = "n", started_at = 2026-01-01T00:00:00Z } ]
given."graph.review_campaigns" = [ { campaign = "Q", is_current = true } ]
given."graph.role_names" = [ { source = "s", role_id = "v", name = "viewer" } ]
given."graph.memberships" = [ { source = "s", account_id = "1", group_id = "g7", seen_in = "group" } ]
given."reports.protected_accounts" = [
  { source = "s", account_id = "svc", reason = "it is a service account", applies_to = "any", may_be_named = true },
  { source = "s", account_id = "adm", reason = "it would be the last active administrator", applies_to = "role" },
]
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "g1", decision = "remove", is_signed = true, is_standing = true },
  { campaign = "Q", item_id = "2", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "g2", decision = "remove", is_signed = true, is_standing = true },
  { campaign = "Q", item_id = "3", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "g3", decision = "remove", is_signed = true, is_standing = true },
  { campaign = "Q", item_id = "4", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", decision = "reduce", target_role = "Emperor", is_signed = true, is_standing = true },
  { campaign = "Q", item_id = "5", source = "s", account_id = "svc", entitlement_type = "group", entitlement_id = "g", decision = "remove", is_signed = true, is_standing = true },
  { campaign = "Q", item_id = "6", source = "s", account_id = "adm", entitlement_type = "group", entitlement_id = "g", decision = "remove", is_signed = true, is_standing = true },
  { campaign = "Q", item_id = "7", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "g7", decision = "remove", is_signed = true, is_standing = true },
  { campaign = "Q", item_id = "8", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "g8", decision = "remove", is_signed = true, is_standing = true },
  { campaign = "Q", item_id = "9", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "g9", decision = "remove", is_signed = true, is_standing = false },
  { campaign = "Q", item_id = "a", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "ga", decision = "keep", is_signed = true, is_standing = true },
  { campaign = "Q", item_id = "b", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", decision = "reduce", target_role = "Viewer", is_signed = true, is_standing = true },
  { campaign = "Q", item_id = "d", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r2", decision = "reduce", target_role = "Viewer", is_signed = true, is_standing = true },
  { campaign = "Q", item_id = "c", source = "s", account_id = "adm", entitlement_type = "role", entitlement_id = "r", decision = "remove", is_signed = true, is_standing = true },
]
given."graph.revocations" = [
  { campaign = "Q", item_id = "1", is_present = false }, { campaign = "Q", item_id = "2", is_present = false },
  { campaign = "Q", item_id = "3", is_present = true }, { campaign = "Q", item_id = "4", is_present = true },
  { campaign = "Q", item_id = "5", is_present = true }, { campaign = "Q", item_id = "6" },
  { campaign = "Q", item_id = "7", is_present = true }, { campaign = "Q", item_id = "8", is_present = true },
  { campaign = "Q", item_id = "b", is_present = true }, { campaign = "Q", item_id = "d", is_present = true }, { campaign = "Q", item_id = "c", is_present = true },
]
given."review.changes" = [
  { change_id = "1", campaign = "Q", item_id = "1", state = "applied", applied_at = 2025-12-01T00:00:00Z },
  { change_id = "3", campaign = "Q", item_id = "3", state = "failed", applied_at = 2025-12-01T00:00:00Z },
  { change_id = "8", campaign = "Q", item_id = "8", state = "skipped", detail = "it has logged in", applied_at = 2025-12-01T00:00:00Z },
  { change_id = "b", campaign = "Q", item_id = "d", state = "left_out", detail = "it would be the last active administrator", applied_at = 2025-12-01T00:00:00Z },
  { change_id = "2", campaign = "Q", item_id = "2", state = "applied", applied_at = 2026-01-02T00:00:00Z },
]
expect = [
  { item_id = "1", outcome = "verified", is_sent = true }, { item_id = "2", outcome = "gone" },
  { item_id = "3", outcome = "unverified", is_sent = true },
  { item_id = "4", outcome = "left_out", reason = "the role that should replace it does not exist" },
  { item_id = "5", outcome = "left_out", reason = "it is a service account" },
  { item_id = "6", outcome = "unverified" },
  { item_id = "7", outcome = "left_out" },
  { item_id = "8", outcome = "left_out", reason = "skipped when the plan was applied: it has logged in" },
  { item_id = "9", outcome = "left_out", reason = "a later review decided on it again" },
  { item_id = "b", outcome = "unverified", is_sent = false },
  { item_id = "d", outcome = "left_out", reason = "it would be the last active administrator" },
  { item_id = "c", outcome = "left_out", reason = "it would be the last active administrator" },
]
*/
