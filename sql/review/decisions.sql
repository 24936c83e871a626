-- What was decided in a campaign, an item a row, those that nobody was asked about too
-- $campaign: the campaign's name
select
    items.campaign, items.item_id, items.source, items.account_id, items.user_name, items.email, items.display_name,
    items.entitlement_type, items.entitlement_id, items.entitlement_name, items.permission_level, items.risk,
    items.rule_ids, items.change_since_baseline, items.recommendation, items.reviewer_email, items.reviewer_basis,
    items.exclusion_reason, held.decision, held.reason, held.target_role, held.defer_until, held.approver,
    held.expires_on, held.decided_by, held.imported_at
from review.items as items
left join current_items as held on held.item_id = items.item_id
where items.campaign = $campaign
