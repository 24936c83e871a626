/*
title       = "Access that a review took away and that is still there"
summary     = "A role or group that a signed-off review removed or reduced, and that no extract since has shown gone in time."
severity    = "high"
population  = """
select source, account_id, entitlement_type, entitlement_id
from graph.review_decisions where is_standing and decision in ('remove', 'reduce')
"""
reads       = [
    "graph.review_decisions", "graph.review_campaigns", "graph.accounts", "graph.people", "graph.effective_access",
    "graph.sources", "baseline.absences", "reference.snapshot",
]
grain       = ["source", "account_id", "entitlement_type", "entitlement_id"]
remediation = "Take the access away now ('access-review remediate plan --campaign'), extract again, and find out why it was not done."

[params]
leaver_days     = 1
privileged_days = 5
other_days      = 14

[controls]
soc2     = ["CC6.2", "CC6.3"]
iso27001 = ["A.5.18"]
nist     = ["AC-2", "AC-6(7)"]
pci      = ["7.2.4"]
hipaa    = ["164.308(a)(3)(ii)(C)"]
*/
with

-- The time runs from the sign-off, since until then a decision may still be changed.
revoked as (
    select
        item.source, item.account_id, item.item_id, item.campaign, item.entitlement_type, item.entitlement_id,
        item.entitlement_name, item.decision, item.decided_by, item.permission_level <> 'standard' as is_privileged,
        campaign.signed_at, campaign.known_at
    from graph.review_decisions as item
    join graph.review_campaigns as campaign on campaign.campaign = item.campaign
    where item.is_standing and item.decision in ('remove', 'reduce')
),

-- A role is taken away by switching the account off; an account that is off may still be in a group.
seen as (
    select
        revoked.*, account.privileged as is_privileged_account,
        coalesce(person.employment_status = 'ended' or person.end_date <= cast($as_of as date), false) as has_left,
        case
            when source.source is null then null
            when account.account_id is null then case when snapshot.completeness = 'FULL' then false end
            when revoked.entitlement_type = 'group' then access.account_id is not null
            when access.account_id is null then false
            when revoked.decision = 'reduce' then true
            else case account.status when 'active' then true when 'unknown' then null else false end
        end as is_present
    from revoked
    cross join reference.snapshot as snapshot
    left join graph.sources as source on source.source = revoked.source
    left join graph.accounts as account
        on account.source = revoked.source and account.account_id = revoked.account_id
    left join graph.people as person on person.person_id = account.person_id
    left join graph.effective_access as access
        on access.source = revoked.source and access.account_id = revoked.account_id
        and access.entitlement_type = revoked.entitlement_type and access.entitlement_id = revoked.entitlement_id
),

due as (
    select
        seen.*,
        case
            when has_left then $leaver_days
            when is_privileged or coalesce(is_privileged_account, false) then $privileged_days
            else $other_days
        end as days
    from seen
    -- what was gone and came back is another finding
    left join baseline.absences as absence
        on absence.campaign = seen.campaign and absence.item_id = seen.item_id
    where absence.item_id is null
),

judged as (
    select
        *,
        case
            when is_present is null then 'unknown'
            when is_present and signed_at < known_at - to_days(cast(days as integer)) then 'failed'
        end as verdict
    from due
)

select
    source,
    account_id,
    entitlement_type,
    entitlement_id,
    verdict,
    case when is_privileged or coalesce(is_privileged_account, false) then 'critical' else 'high' end as severity,
    'Review ' || campaign || ': ' || decided_by || case decision when 'remove' then ' removed' else ' reduced' end
        || ' the ' || entitlement_type || ' ' || coalesce(entitlement_name, entitlement_id) || ', signed off on '
        || strftime(signed_at, '%Y-%m-%d') || '; it is still there.' as detail,
    cast(floor(epoch(known_at - signed_at) / 86400) as bigint) || ' days after the sign-off' as observed_value,
    'gone after ' || days || ' days' as threshold
from judged
where verdict is not null

/* example
name = "still there past its days fails, on the day itself passes; gone in time, or gone once before, passes; a leaver has one day, power five"
given."reference.snapshot" = [ { snapshot_id = "example", build_id = "b", folder = "f", organization = "o", as_of = 2026-01-01T00:00:00Z, started_at = 2026-01-01T00:00:00Z, finished_at = 2026-01-01T00:00:00Z, completeness = "FULL", tool_version = "0" } ]
given."graph.sources" = [ { source = "s" } ]
given."graph.review_campaigns" = [
  { campaign = "late", signed_at = 2025-12-17T23:59:59Z, known_at = 2026-01-01T00:00:00Z },
  { campaign = "exact", signed_at = 2025-12-18T00:00:00Z, known_at = 2026-01-01T00:00:00Z },
  { campaign = "power", signed_at = 2025-12-26T23:59:59Z, known_at = 2026-01-01T00:00:00Z },
  { campaign = "left", signed_at = 2025-12-30T23:59:59Z, known_at = 2026-01-01T00:00:00Z },
]
given."graph.people" = [ { person_id = "p", employment_status = "ended" } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", privileged = false }, { source = "s", account_id = "off", status = "inactive", privileged = false },
  { source = "s", account_id = "admin", status = "active", privileged = true }, { source = "s", account_id = "left", status = "active", privileged = false, person_id = "p" },
  { source = "s", account_id = "odd", status = "unknown", privileged = false },
]
given."graph.effective_access" = [
  { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "late" }, { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "exact" },
  { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "back" }, { source = "s", account_id = "off", entitlement_type = "role", entitlement_id = "r" },
  { source = "s", account_id = "off", entitlement_type = "group", entitlement_id = "g" }, { source = "s", account_id = "admin", entitlement_type = "role", entitlement_id = "r" },
  { source = "s", account_id = "left", entitlement_type = "group", entitlement_id = "g" }, { source = "s", account_id = "odd", entitlement_type = "role", entitlement_id = "r" },
]
given."baseline.absences" = [ { campaign = "late", item_id = "3", first_absent_snapshot_id = "m" } ]
given."graph.review_decisions" = [
  { campaign = "late", item_id = "1", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "late", permission_level = "standard", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "exact", item_id = "2", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "exact", permission_level = "standard", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "late", item_id = "3", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "back", permission_level = "standard", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "late", item_id = "4", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "gone", permission_level = "standard", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "late", item_id = "5", source = "s", account_id = "off", entitlement_type = "role", entitlement_id = "r", permission_level = "standard", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "late", item_id = "6", source = "s", account_id = "off", entitlement_type = "group", entitlement_id = "g", permission_level = "standard", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "power", item_id = "7", source = "s", account_id = "admin", entitlement_type = "role", entitlement_id = "r", permission_level = "privileged", decision = "reduce", decided_by = "b@x.org", is_standing = true },
  { campaign = "left", item_id = "8", source = "s", account_id = "left", entitlement_type = "group", entitlement_id = "g", permission_level = "standard", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "late", item_id = "9", source = "s", account_id = "odd", entitlement_type = "role", entitlement_id = "r", permission_level = "standard", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "late", item_id = "a", source = "not extracted", account_id = "1", entitlement_type = "role", entitlement_id = "r", permission_level = "standard", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "late", item_id = "b", source = "s", account_id = "deleted", entitlement_type = "role", entitlement_id = "r", permission_level = "standard", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "late", item_id = "c", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "late", permission_level = "standard", decision = "remove", decided_by = "b@x.org", is_standing = false },
  { campaign = "late", item_id = "d", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "kept", permission_level = "standard", decision = "keep", decided_by = "b@x.org", is_standing = true },
]
expect = [
  { account_id = "1", entitlement_id = "late", verdict = "failed", severity = "high", observed_value = "14 days after the sign-off", threshold = "gone after 14 days" },
  { account_id = "off", entitlement_id = "g", verdict = "failed" },
  { account_id = "admin", entitlement_id = "r", verdict = "failed", severity = "critical", threshold = "gone after 5 days" },
  { account_id = "left", entitlement_id = "g", verdict = "failed", threshold = "gone after 1 days" },
  { account_id = "odd", verdict = "unknown" }, { source = "not extracted", verdict = "unknown" },
]
population = 11
*/
/* example
name = "an account that an incomplete extract does not show may be there"
given."reference.snapshot" = [ { snapshot_id = "example", build_id = "b", folder = "f", organization = "o", as_of = 2026-01-01T00:00:00Z, started_at = 2026-01-01T00:00:00Z, finished_at = 2026-01-01T00:00:00Z, completeness = "PARTIAL", tool_version = "0" } ]
given."graph.sources" = [ { source = "s" } ]
given."graph.review_campaigns" = [ { campaign = "Q", signed_at = 2025-12-01T00:00:00Z, known_at = 2026-01-01T00:00:00Z } ]
given."graph.review_decisions" = [ { campaign = "Q", item_id = "1", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "g", permission_level = "standard", decision = "remove", decided_by = "b@x.org", is_standing = true } ]
expect = [ { account_id = "1", verdict = "unknown" } ]
population = 1
*/
