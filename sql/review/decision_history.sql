-- The decisions of a campaign that no longer hold, each with what followed it: another decision, or its being taken back
-- $campaign: the campaign's name
-- Taking a decision back adds the answer before it once more, or 'withdrawn' if there was none.
with

decisions as (
    select
        *, coalesce(method, 'file') as decided_with,
        lead(undoes) over followed is not null as is_taken_back,
        lead(decision) over followed as next_decision,
        lead(reviewer_email) over followed as next_reviewer,
        lead(coalesce(method, 'file')) over followed as next_method,
        lead(coalesce(decided_at, imported_at)) over followed as next_at,
        lead(file_name) over followed as next_file_name
    from review.decisions
    where campaign = $campaign
    window followed as (partition by item_id order by sequence)
)

select
    decisions.campaign, decisions.item_id, items.source, items.account_id, items.user_name, items.display_name,
    items.entitlement_type, items.entitlement_id, items.entitlement_name, decisions.sequence, decisions.decision,
    decisions.reason, decisions.target_role, decisions.defer_until, decisions.approver, decisions.expires_on,
    decisions.reviewer_email as decided_by, decisions.decided_at, decisions.decided_with as method,
    coalesce(decisions.is_bulk, false) as is_bulk, decisions.decided_from, decisions.file_name, decisions.imported_at,
    case when decisions.is_taken_back then 'taken back' else 'replaced' end as outcome,
    nullif(decisions.next_decision, 'withdrawn') as replaced_by, decisions.next_reviewer as replaced_by_reviewer,
    decisions.next_at as replaced_at, decisions.next_method as replaced_by_method,
    decisions.next_file_name as replaced_by_file
from decisions
join review.items as items on items.campaign = decisions.campaign and items.item_id = decisions.item_id
where decisions.next_decision is not null and decisions.decision <> 'withdrawn'
