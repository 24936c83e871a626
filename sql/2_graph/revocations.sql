/*
summary = "One role or group that the last signed-off review of it removed or reduced, and whether this snapshot still has it."
reads   = [
    "graph.review_decisions", "graph.review_campaigns", "graph.accounts", "graph.effective_access", "graph.sources",
    "reference.snapshot",
]
grain   = ["source", "account_id", "entitlement_type", "entitlement_id"]

[columns]
campaign         = "varchar: the name of the review campaign"
item_id          = "varchar: id of the item decided on"
source           = "varchar: the source's name in the configuration"
account_id       = "varchar: the account"
entitlement_type = "varchar: role or group"
entitlement_id   = "varchar: id of the role or group"
entitlement_name = "varchar: its name, as shown to people"
permission_level = "varchar: privileged, standard or unclassified"
decision         = "varchar: remove or reduce"
decided_by       = "varchar: e-mail address of the reviewer who decided"
signed_at        = "timestamp: when the campaign was signed off, UTC"
known_at         = "timestamp: the earlier of as-of and the end of the extract, UTC; later events are ignored"
is_present       = "boolean: the account still holds the role or group; null if this snapshot cannot show it"
*/
select
    item.campaign,
    item.item_id,
    item.source,
    item.account_id,
    item.entitlement_type,
    item.entitlement_id,
    item.entitlement_name,
    item.permission_level,
    item.decision,
    item.decided_by,
    campaign.signed_at,
    campaign.known_at,
    case
        when source.source is null then null
        when account.account_id is null then case when snapshot.completeness = 'FULL' then false end
        when item.entitlement_type <> 'role' or source.is_from_files then case
            when access.account_id is not null then true
            when not coalesce(list_contains(account.unreadable_fields, 'groups'), false) then false
        end
        when access.account_id is null
            then case when not coalesce(list_contains(account.unreadable_fields, 'roleId'), false) then false end
        when item.decision = 'reduce' then true
        -- Deactivating an account takes its role away, but not its groups.
        else case account.status when 'active' then true when 'unknown' then null else false end
    end as is_present
from graph.review_decisions as item
join graph.review_campaigns as campaign on campaign.campaign = item.campaign
cross join reference.snapshot as snapshot
left join graph.sources as source on source.source = item.source
left join graph.accounts as account on account.source = item.source and account.account_id = item.account_id
left join graph.effective_access as access
    on access.source = item.source and access.account_id = item.account_id
    and access.entitlement_type = item.entitlement_type and access.entitlement_id = item.entitlement_id
where item.is_standing and item.decision in ('remove', 'reduce')

/* example
name = "a group is held or not; deactivating removes a role but does not reduce it; unread sources and flags are null; later decisions win"
given."reference.snapshot" = [ { snapshot_id = "example", build_id = "b", folder = "f", organization = "o", as_of = 2026-01-01T00:00:00Z, started_at = 2026-01-01T00:00:00Z, finished_at = 2026-01-01T00:00:00Z, completeness = "FULL", tool_version = "0" } ]
given."graph.sources" = [ { source = "s" } ]
given."graph.review_campaigns" = [ { campaign = "Q", signed_at = 2025-12-01T00:00:00Z, known_at = 2026-01-01T00:00:00Z } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active" }, { source = "s", account_id = "off", status = "inactive" },
  { source = "s", account_id = "odd", status = "unknown" },
]
given."graph.effective_access" = [
  { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "held" }, { source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r" },
  { source = "s", account_id = "off", entitlement_type = "group", entitlement_id = "held" }, { source = "s", account_id = "off", entitlement_type = "role", entitlement_id = "r" },
  { source = "s", account_id = "odd", entitlement_type = "role", entitlement_id = "r" }, { source = "s", account_id = "off", entitlement_type = "role", entitlement_id = "lower" },
]
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "held", decision = "remove", is_standing = true },
  { campaign = "Q", item_id = "2", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "gone", decision = "remove", is_standing = true },
  { campaign = "Q", item_id = "3", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", decision = "remove", is_standing = true },
  { campaign = "Q", item_id = "4", source = "s", account_id = "off", entitlement_type = "group", entitlement_id = "held", decision = "remove", is_standing = true },
  { campaign = "Q", item_id = "5", source = "s", account_id = "off", entitlement_type = "role", entitlement_id = "r", decision = "remove", is_standing = true },
  { campaign = "Q", item_id = "6", source = "s", account_id = "off", entitlement_type = "role", entitlement_id = "lower", decision = "reduce", is_standing = true },
  { campaign = "Q", item_id = "7", source = "s", account_id = "odd", entitlement_type = "role", entitlement_id = "r", decision = "remove", is_standing = true },
  { campaign = "Q", item_id = "8", source = "not extracted", account_id = "1", entitlement_type = "role", entitlement_id = "r", decision = "remove", is_standing = true },
  { campaign = "Q", item_id = "9", source = "s", account_id = "deleted", entitlement_type = "role", entitlement_id = "r", decision = "remove", is_standing = true },
  { campaign = "Q", item_id = "a", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "kept", decision = "keep", is_standing = true },
  { campaign = "Q", item_id = "b", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "later", decision = "remove", is_standing = false },
]
expect = [
  { item_id = "1", is_present = true }, { item_id = "2", is_present = false }, { item_id = "3", is_present = true },
  { item_id = "4", is_present = true }, { item_id = "5", is_present = false }, { item_id = "6", is_present = true },
  { item_id = "7", is_present = "<null>" }, { item_id = "8", is_present = "<null>" }, { item_id = "9", is_present = false },
]
*/
/* example
name = "an account missing from an incomplete extract may still exist"
given."reference.snapshot" = [ { snapshot_id = "example", build_id = "b", folder = "f", organization = "o", as_of = 2026-01-01T00:00:00Z, started_at = 2026-01-01T00:00:00Z, finished_at = 2026-01-01T00:00:00Z, completeness = "PARTIAL", tool_version = "0" } ]
given."graph.sources" = [ { source = "s" } ]
given."graph.review_campaigns" = [ { campaign = "Q", signed_at = 2025-12-01T00:00:00Z, known_at = 2026-01-01T00:00:00Z } ]
given."graph.review_decisions" = [ { campaign = "Q", item_id = "1", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "g", decision = "remove", is_standing = true } ]
expect = [ { item_id = "1", is_present = "<null>" } ]
*/
