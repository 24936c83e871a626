-- What have reviewers decided about each listed account, the newest review first? Items without a decision are open.
select
    chosen.place as account, decided.campaign, decided.entitlement_type, decided.entitlement_name,
    decided.reviewer_email, decided.decided_by, decided.decision, decided.reason, decided.target_role,
    decided.decided_at, decided.is_signed
from graph.review_decisions as decided
join graph.review_campaigns as campaign on campaign.campaign = decided.campaign
join lookup_choice as chosen on chosen.source = decided.source and chosen.account_id = decided.account_id
order by
    chosen.place, campaign.opened_at desc, decided.campaign, decided.entitlement_type desc,
    lower(decided.entitlement_name), decided.item_id
