-- What is to be done by hand in applications that are read from files, and by whom?
-- $selected: what was selected, as JSON: source, account_id, entitlement_id (null to deactivate the account), reason, decided_by, campaign, item_id
with

selected as (
    select unnest(
        from_json(
            $selected,
            '[{"source": "VARCHAR", "account_id": "VARCHAR", "entitlement_id": "VARCHAR", "reason": "VARCHAR",
               "decided_by": "VARCHAR", "campaign": "VARCHAR", "item_id": "VARCHAR"}]'
        ), recursive := true
    )
),

-- The owner of an entitlement can take it away; without one, the person responsible for the account is told.
tasks as (
    select
        selected.*, held.entitlement_type, coalesce(held.entitlement_name, selected.entitlement_id) as entitlement_name,
        coalesce(entitlement_owner.owner_email, account_owner.owner_email, default_owner.owner_email) as owner_email
    from selected
    left join graph.effective_access as held
        on held.source = selected.source and held.account_id = selected.account_id
        and held.entitlement_id = selected.entitlement_id
    left join graph.owners as entitlement_owner
        on entitlement_owner.source = selected.source and entitlement_owner.subject_type = 'group'
        and entitlement_owner.subject_id = selected.entitlement_id
    left join graph.owners as account_owner
        on account_owner.source = selected.source and account_owner.subject_type = 'account'
        and account_owner.subject_id = selected.account_id
    left join policy.default_owner as default_owner on true
)

select
    tasks.owner_email, tasks.source, tasks.account_id, account.user_name, account.email, account.display_name,
    case when tasks.entitlement_id is null then 'deactivate' else 'remove' end as action,
    tasks.entitlement_type, tasks.entitlement_id, tasks.entitlement_name, tasks.reason, tasks.decided_by,
    tasks.campaign, tasks.item_id
from tasks
left join graph.accounts as account on account.source = tasks.source and account.account_id = tasks.account_id
order by tasks.owner_email nulls last, tasks.source, account.display_name, tasks.account_id, tasks.entitlement_id
