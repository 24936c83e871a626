-- What has a signed-off campaign decided that the current build does not show done?
-- $campaign: the campaign
with

newest as (
    select item_id, max(sequence) as sequence from review.decisions where campaign = $campaign group by item_id
),

decided as (
    select items.*, decisions.decision, decisions.reason as words, decisions.target_role
    from review.items as items
    join newest on newest.item_id = items.item_id
    join review.decisions as decisions
        on decisions.campaign = items.campaign and decisions.item_id = items.item_id
        and decisions.sequence = newest.sequence
    where items.campaign = $campaign and items.exclusion_reason is null
        and decisions.decision in ('remove', 'reduce')
),

-- A role has two names; the one of the API wins where both exist.
role_names as (
    select source, lower(role_name) as known_as, role_id, 1 as place from graph.roles where role_name is not null
    union all
    select source, lower(role_display_name), role_id, 2 from graph.roles where role_display_name is not null
),

targets as (
    select source, known_as, arg_min(role_id, place) as role_id
    from role_names
    group by source, known_as
),

-- Everybody has exactly one role: to take it away is to switch the account off.
held as (
    select
        decided.source, decided.account_id, decided.campaign, decided.item_id, decided.entitlement_type,
        decided.entitlement_id, targets.role_id as target_role_id,
        case
            when decided.entitlement_type = 'group' then 'remove_from_groups'
            when decided.decision = 'reduce' then 'change_role'
            else 'deactivate'
        end as action,
        decided.decision || ' by review ' || decided.campaign || ': ' || decided.entitlement_type || ' '
            || coalesce(decided.entitlement_name, decided.entitlement_id)
            || coalesce(' to ' || decided.target_role, '') || coalesce('. ' || decided.words, '') as reason
    from decided
    join graph.accounts as account
        on account.source = decided.source and account.account_id = decided.account_id
    left join targets on targets.source = decided.source and targets.known_as = lower(decided.target_role)
    where
        case decided.entitlement_type
            when 'role' then
                account.role_id = decided.entitlement_id
                and (decided.decision = 'reduce' or account.status in ('active', 'unknown'))
            else exists (
                select 1
                from graph.memberships as membership
                where membership.source = decided.source and membership.account_id = decided.account_id
                    and membership.group_id = decided.entitlement_id
            )
        end
)

select
    source, account_id, action, reason, null::varchar as finding_id, campaign, item_id, entitlement_type,
    entitlement_id, target_role_id
from held
order by source, account_id, action, entitlement_id
