/*
title       = "Access that a review took away and that came back"
summary     = "A role or group that a signed-off review removed or reduced, that a complete extract showed gone, and that is there again."
severity    = "high"
population  = """
select item.source, item.account_id, item.entitlement_type, item.entitlement_id
from graph.review_decisions as item
join baseline.absences as absence on absence.campaign = item.campaign and absence.item_id = item.item_id
where item.is_standing and item.decision in ('remove', 'reduce')
"""
reads       = [
    "graph.review_decisions", "graph.accounts", "graph.effective_access", "graph.sources", "baseline.absences",
    "reference.snapshot",
]
grain       = ["source", "account_id", "entitlement_type", "entitlement_id"]
remediation = "Ask who gave it back and on whose request; take it away again, or have the next review decide on it."

[controls]
soc2     = ["CC6.2", "CC6.3"]
iso27001 = ["A.5.18"]
nist     = ["AC-2", "AC-6(7)"]
*/
with

revoked as (
    select item.*, absence.first_absent_snapshot_id
    from graph.review_decisions as item
    join baseline.absences as absence on absence.campaign = item.campaign and absence.item_id = item.item_id
    where item.is_standing and item.decision in ('remove', 'reduce')
),

seen as (
    select
        revoked.*,
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
    left join graph.effective_access as access
        on access.source = revoked.source and access.account_id = revoked.account_id
        and access.entitlement_type = revoked.entitlement_type and access.entitlement_id = revoked.entitlement_id
)

select
    source,
    account_id,
    entitlement_type,
    entitlement_id,
    case when is_present then 'failed' else 'unknown' end as verdict,
    'Review ' || campaign || ': ' || decided_by || case decision when 'remove' then ' removed' else ' reduced' end
        || ' the ' || entitlement_type || ' ' || coalesce(entitlement_name, entitlement_id)
        || '; it was gone in extract ' || first_absent_snapshot_id || ' and is there again.' as detail,
    'there again' as observed_value,
    'gone since ' || first_absent_snapshot_id as threshold
from seen
where is_present is null or is_present

/* example
name = "gone once and there again fails; still gone, and a role of an account that is off, pass; never gone is no member; unknown where it cannot be seen"
given."reference.snapshot" = [ { snapshot_id = "example", build_id = "b", folder = "f", organization = "o", as_of = 2026-01-01T00:00:00Z, started_at = 2026-01-01T00:00:00Z, finished_at = 2026-01-01T00:00:00Z, completeness = "FULL", tool_version = "0" } ]
given."graph.sources" = [ { source = "s" } ]
given."graph.accounts" = [ { source = "s", account_id = "1", status = "active" }, { source = "s", account_id = "off", status = "inactive" } ]
given."graph.effective_access" = [
  { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "back" }, { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "always" },
  { source = "s", account_id = "off", entitlement_type = "role", entitlement_id = "r" },
]
given."baseline.absences" = [
  { campaign = "Q", item_id = "1", first_absent_snapshot_id = "m" }, { campaign = "Q", item_id = "2", first_absent_snapshot_id = "m" },
  { campaign = "Q", item_id = "4", first_absent_snapshot_id = "m" }, { campaign = "Q", item_id = "5", first_absent_snapshot_id = "m" },
  { campaign = "Q", item_id = "6", first_absent_snapshot_id = "m" },
]
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "back", entitlement_name = "Sales", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "Q", item_id = "2", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "gone", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "Q", item_id = "3", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "always", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "Q", item_id = "4", source = "s", account_id = "off", entitlement_type = "role", entitlement_id = "r", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "Q", item_id = "5", source = "other", account_id = "1", entitlement_type = "role", entitlement_id = "r", decision = "remove", decided_by = "b@x.org", is_standing = true },
  { campaign = "Q", item_id = "6", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "back", decision = "remove", decided_by = "b@x.org", is_standing = false },
]
expect = [
  { source = "s", account_id = "1", entitlement_id = "back", verdict = "failed", detail = "Review Q: b@x.org removed the group Sales; it was gone in extract m and is there again." },
  { source = "other", verdict = "unknown" },
]
population = 4
*/
