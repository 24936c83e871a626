/*
title       = "Removed access is still present"
summary     = "A role or group that a signed-off review removed or reduced, and that is still present after the time allowed."
severity    = "high"
population  = """
select source, account_id, entitlement_type, entitlement_id from graph.revocations
"""
reads       = ["graph.revocations", "graph.accounts", "graph.people", "baseline.absences"]
grain       = ["source", "account_id", "entitlement_type", "entitlement_id"]
needs       = "campaign"
remediation = "Remove the access now ('access-review remediate plan --campaign'), extract again, and find out why it was not removed."

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

-- The time allowed starts at the sign-off, because a decision can change until then.
revocations as (
    select
        revoked.*,
        coalesce(account.privileged, false) as is_privileged,
        case
            when person.employment_status = 'ended' or person.end_date <= cast($as_of as date) then $leaver_days
            when account.privileged then $privileged_days
            else $other_days
        end as days
    from graph.revocations as revoked
    left join graph.accounts as account
        on account.source = revoked.source and account.account_id = revoked.account_id
    left join graph.people as person on person.person_id = account.person_id
    -- Access that was absent and is present again fails another rule.
    anti join baseline.absences as absence
        on absence.campaign = revoked.campaign and absence.item_id = revoked.item_id
),

verdicts as (
    select
        *,
        date_diff('day', cast(signed_at as date), cast(known_at as date)) as days_since,
        case
            when is_present is null then 'unknown'
            when is_present and signed_at < known_at - to_days(cast(days as integer)) then 'failed'
            -- Time is left, or was left at the extract; only absence proves the removal.
            when is_present then 'unknown'
        end as verdict
    from revocations
)

select
    source,
    account_id,
    entitlement_type,
    entitlement_id,
    verdict,
    case when is_privileged then 'critical' else 'high' end as severity,
    'Review ' || campaign || ': ' || decided_by || case decision when 'remove' then ' removed' else ' reduced' end
        || ' the ' || entitlement_type || ' ' || coalesce(entitlement_name, entitlement_id) || ', signed off on '
        || strftime(signed_at, '%-d %b %Y') || '. It is still present.' as detail,
    counted(days_since, 'day') || ' after the sign-off' as observed_value,
    'removed within ' || counted(days, 'day') as threshold
from verdicts
where verdict is not null

/* example
name = "present after the time allowed fails, before that it is unknown; absent once passes; leavers have one day, privileged accounts five"
given."graph.people" = [ { person_id = "p", employment_status = "ended" } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", privileged = false },
  { source = "s", account_id = "admin", status = "active", privileged = true }, { source = "s", account_id = "left", status = "active", privileged = false, person_id = "p" },
]
given."baseline.absences" = [ { campaign = "late", item_id = "3", first_absent_snapshot_id = "m" } ]
given."graph.revocations" = [
  { campaign = "late", item_id = "1", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "late", permission_level = "standard", decision = "remove", decided_by = "b@x.org", signed_at = 2025-12-17T23:59:59Z, known_at = 2026-01-01T00:00:00Z, is_present = true },
  { campaign = "exact", item_id = "2", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "exact", permission_level = "standard", decision = "remove", decided_by = "b@x.org", signed_at = 2025-12-18T00:00:00Z, known_at = 2026-01-01T00:00:00Z, is_present = true },
  { campaign = "late", item_id = "3", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "back", permission_level = "standard", decision = "remove", decided_by = "b@x.org", signed_at = 2025-12-17T23:59:59Z, known_at = 2026-01-01T00:00:00Z, is_present = true },
  { campaign = "late", item_id = "4", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "gone", permission_level = "standard", decision = "remove", decided_by = "b@x.org", signed_at = 2025-12-17T23:59:59Z, known_at = 2026-01-01T00:00:00Z, is_present = false },
  { campaign = "power", item_id = "5", source = "s", account_id = "admin", entitlement_type = "role", entitlement_id = "r", permission_level = "privileged", decision = "reduce", decided_by = "b@x.org", signed_at = 2025-12-26T23:59:59Z, known_at = 2026-01-01T00:00:00Z, is_present = true },
  { campaign = "power", item_id = "6", source = "s", account_id = "admin", entitlement_type = "group", entitlement_id = "g", permission_level = "standard", decision = "remove", decided_by = "b@x.org", signed_at = 2025-12-26T23:59:59Z, known_at = 2026-01-01T00:00:00Z, is_present = true },
  { campaign = "left", item_id = "7", source = "s", account_id = "left", entitlement_type = "group", entitlement_id = "g", permission_level = "standard", decision = "remove", decided_by = "b@x.org", signed_at = 2025-12-30T23:59:59Z, known_at = 2026-01-01T00:00:00Z, is_present = true },
  { campaign = "late", item_id = "8", source = "s", account_id = "odd", entitlement_type = "role", entitlement_id = "r", permission_level = "standard", decision = "remove", decided_by = "b@x.org", signed_at = 2025-12-17T23:59:59Z, known_at = 2026-01-01T00:00:00Z },
  { campaign = "late", item_id = "9", source = "s", account_id = "deleted", entitlement_type = "role", entitlement_id = "r", permission_level = "standard", decision = "remove", decided_by = "b@x.org", signed_at = 2025-12-17T23:59:59Z, known_at = 2026-01-01T00:00:00Z, is_present = false },
]
expect = [
  { account_id = "1", entitlement_id = "late", verdict = "failed", severity = "high", observed_value = "15 days after the sign-off", threshold = "removed within 14 days" },
  { account_id = "admin", entitlement_id = "r", verdict = "failed", severity = "critical", threshold = "removed within 5 days" },
  { account_id = "admin", entitlement_id = "g", verdict = "failed", severity = "critical", threshold = "removed within 5 days" },
  { account_id = "left", entitlement_id = "g", verdict = "failed", threshold = "removed within 1 day" },
  { account_id = "1", entitlement_id = "exact", verdict = "unknown" },
  { account_id = "odd", verdict = "unknown" },
]
population = 9
*/
