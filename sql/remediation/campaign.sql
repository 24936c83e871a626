-- What came of every decision of a campaign to remove or reduce: done, gone, left_out with its reason, or open
-- $campaign: the campaign
with

decided as (
    select items.* exclude (reason), items.reason as words
    from review.assigned_items($campaign) as items
    where items.decision in ('remove', 'reduce')
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

sent as (
    select distinct changes.item_id
    from review.changes as changes
    join reference.snapshot as snapshot on changes.applied_at <= snapshot.started_at
    where changes.campaign = $campaign and changes.state in ('applied', 'unclear', 'failed')
),

-- Each account has exactly one role: to take it away is to deactivate the account.
actions as (
    select
        decided.*, targets.role_id as target_role_id, role.role_display_name as target_name,
        membership.seen_in, sent.item_id is not null as is_sent,
        protected.reason as protection, protected.may_be_named, protected.applies_to,
        case
            when decided.entitlement_type = 'group' then 'remove_from_groups'
            when decided.decision = 'reduce' then 'change_role'
            else 'deactivate'
        end as action,
        case
            when source.source is null then null
            when account.account_id is null then false
            when decided.entitlement_type = 'group' then membership.group_id is not null
            when account.role_id is distinct from decided.entitlement_id then false
            else decided.decision = 'reduce' or account.status in ('active', 'unknown')
        end as is_present
    from decided
    left join graph.sources as source on source.source = decided.source
    left join graph.accounts as account
        on account.source = decided.source and account.account_id = decided.account_id
    left join graph.memberships as membership
        on decided.entitlement_type = 'group' and membership.source = decided.source
        and membership.account_id = decided.account_id and membership.group_id = decided.entitlement_id
    left join targets on targets.source = decided.source and targets.known_as = lower(decided.target_role)
    left join graph.roles as role on role.source = decided.source and role.role_id = targets.role_id
    left join sent on sent.item_id = decided.item_id
    left join reports.protected_accounts as protected
        on protected.source = decided.source and protected.account_id = decided.account_id
)

select
    source, account_id, action, null::varchar as finding_id, campaign, item_id, entitlement_type, entitlement_id,
    coalesce(entitlement_name, entitlement_id) as entitlement_name, target_role_id, target_name, target_role, decision, decided_by,
    words, user_name, coalesce(display_name, user_name, account_id) as display_name,
    decision || ' by review ' || campaign || ': ' || entitlement_type || ' '
        || coalesce(entitlement_name, entitlement_id)
        || coalesce(' to ' || target_role, '') || coalesce('. ' || words, '') as reason,
    case
        when is_present = false and is_sent then 'done'
        when is_present = false then 'gone'
        when left_out_because is not null then 'left_out'
        else 'open'
    end as outcome,
    case when is_present is distinct from false then left_out_because end as left_out_because,
    -- the plan may be told to change such an account all the same
    coalesce(may_be_named and left_out_because = protection, false) as may_be_named
from (
    select
        *,
        case
            when is_present is null then 'its source is not part of this extract'
            when protection is not null and (applies_to = 'any' or action in ('deactivate', 'change_role'))
                then protection
            when action = 'change_role' and target_role_id is null then 'the role it should have instead is not there'
            when seen_in = 'group' then
                'only the group lists the membership, and this program does not write there: remove it in Sisense'
        end as left_out_because
    from actions
) as classified
order by source, account_id, action, entitlement_id
