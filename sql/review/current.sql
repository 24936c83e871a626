-- Every item of a campaign that somebody is asked about, with the decision that holds
-- $campaign: the campaign's name
with

newest as (
    select campaign, item_id, max(sequence) as sequence
    from review.decisions
    where campaign = $campaign
    group by campaign, item_id
),

held as (
    select decisions.*
    from review.decisions as decisions
    join newest on newest.campaign = decisions.campaign and newest.item_id = decisions.item_id
        and newest.sequence = decisions.sequence
)

select
    items.*, held.sequence, held.decision, held.reason, held.target_role, held.defer_until, held.approver,
    held.expires_on, held.reviewer_email as decided_by, held.imported_at, items.risk in ('critical', 'high') as is_high_risk
from review.items as items
left join held on held.item_id = items.item_id
where items.campaign = $campaign and items.exclusion_reason is null
