-- Every item of a campaign with its decision, including the items without a reviewer
-- $campaign: the campaign's name
select
    items.campaign, items.item_id, items.source, items.account_id, items.user_name, items.email, items.display_name,
    items.entitlement_type, items.entitlement_id, items.entitlement_name, items.permission_level, items.risk,
    items.rule_ids, items.change_since_baseline, items.recommendation,
    coalesce(assigned.reviewer_email, items.reviewer_email) as reviewer_email, items.reviewer_basis,
    items.exclusion_reason, assigned.decision, assigned.reason, assigned.target_role, assigned.defer_until,
    assigned.approver, assigned.expires_on, assigned.decided_by, assigned.imported_at, assigned.decided_at, assigned.method,
    assigned.is_bulk, assigned.decided_from, items.reviewer_email as original_reviewer_email
from review.items as items
left join review.assigned_items($campaign) as assigned on assigned.item_id = items.item_id
where items.campaign = $campaign
