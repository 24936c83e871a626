/*
title       = "Removed access is back"
summary     = "A role or group that a signed-off review removed or reduced, that was absent from a complete extract, and that is present again."
severity    = "high"
population  = """
select revoked.source, revoked.account_id, revoked.entitlement_type, revoked.entitlement_id
from graph.revocations as revoked
join baseline.absences as absence on absence.campaign = revoked.campaign and absence.item_id = revoked.item_id
"""
reads       = ["graph.revocations", "baseline.absences"]
grain       = ["source", "account_id", "entitlement_type", "entitlement_id"]
needs       = "campaign"
remediation = "Ask who granted it again and at whose request. Remove it again, or let the next review decide."

[controls]
soc2     = ["CC6.2", "CC6.3"]
iso27001 = ["A.5.18"]
nist     = ["AC-2", "AC-6(7)"]
*/
select
    revoked.source,
    revoked.account_id,
    revoked.entitlement_type,
    revoked.entitlement_id,
    case when revoked.is_present then 'failed' else 'unknown' end as verdict,
    'Review ' || revoked.campaign || ': ' || revoked.decided_by
        || case revoked.decision when 'remove' then ' removed' else ' reduced' end || ' the '
        || revoked.entitlement_type || ' ' || coalesce(revoked.entitlement_name, revoked.entitlement_id)
        || '. It was absent from snapshot ' || absence.first_absent_snapshot_id || ' and is present again.' as detail,
    'present again' as observed_value,
    'absent since ' || absence.first_absent_snapshot_id as threshold
from graph.revocations as revoked
join baseline.absences as absence on absence.campaign = revoked.campaign and absence.item_id = revoked.item_id
where revoked.is_present is null or revoked.is_present

/* example
name = "absent and present again fails; still absent passes; never absent is not in the population; unknown presence is unknown"
given."baseline.absences" = [
  { campaign = "Q", item_id = "1", first_absent_snapshot_id = "m" }, { campaign = "Q", item_id = "2", first_absent_snapshot_id = "m" },
  { campaign = "Q", item_id = "4", first_absent_snapshot_id = "m" }, { campaign = "other", item_id = "3", first_absent_snapshot_id = "m" },
]
given."graph.revocations" = [
  { campaign = "Q", item_id = "1", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "back", entitlement_name = "Sales", decision = "remove", decided_by = "b@x.org", is_present = true },
  { campaign = "Q", item_id = "2", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "gone", decision = "remove", decided_by = "b@x.org", is_present = false },
  { campaign = "Q", item_id = "3", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "always", decision = "remove", decided_by = "b@x.org", is_present = true },
  { campaign = "Q", item_id = "4", source = "other", account_id = "1", entitlement_type = "role", entitlement_id = "r", decision = "remove", decided_by = "b@x.org" },
]
expect = [
  { source = "s", account_id = "1", entitlement_id = "back", verdict = "failed", detail = "Review Q: b@x.org removed the group Sales. It was absent from snapshot m and is present again." },
  { source = "other", verdict = "unknown" },
]
population = 3
*/
