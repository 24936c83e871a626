-- Every decision of a campaign to remove or reduce, with its outcome: done, gone, left_out (with its reason) or open
-- $campaign: the campaign's name
with

revocations as (
    select items.* exclude (reason), items.reason as words
    from review.assigned_items($campaign) as items
    where items.decision in ('remove', 'reduce')
),

-- A role has two names. If a name matches two roles, the role with that API name is taken.
role_names as (
    select source, lower(role_name) as known_as, role_id, 1 as place from graph.roles where role_name is not null
    union all
    select source, lower(role_display_name), role_id, 2 from graph.roles where role_display_name is not null
),

target_roles as (
    select source, known_as, arg_min(role_id, place) as role_id
    from role_names
    group by source, known_as
),

sent_items as (
    select distinct changes.item_id
    from review.changes as changes
    join reference.snapshot as snapshot on changes.applied_at <= snapshot.started_at
    where changes.campaign = $campaign and changes.state in ('applied', 'unclear', 'failed')
),

-- An account has exactly one role, so removing the role means deactivating the account.
planned_actions as (
    select
        revocations.*, coalesce(source.is_from_files, false) as is_from_files, target_roles.role_id as target_role_id, role.role_display_name as target_name,
        own_role.role_rank as own_rank, role.role_rank as target_rank,
        membership.seen_in, sent_items.item_id is not null as is_sent,
        protected.reason as protection, protected.may_be_named, protected.applies_to,
        case
            when revocations.entitlement_type <> 'role' or source.is_from_files then 'remove_from_groups'
            when revocations.decision = 'reduce' then 'change_role'
            else 'deactivate'
        end as action,
        case
            when source.source is null then null
            when account.account_id is null then false
            when revocations.entitlement_type <> 'role' or source.is_from_files then membership.group_id is not null
            when account.role_id is distinct from revocations.entitlement_id then false
            else revocations.decision = 'reduce' or account.status in ('active', 'unknown')
        end as is_present
    from revocations
    left join graph.sources as source on source.source = revocations.source
    left join graph.accounts as account
        on account.source = revocations.source and account.account_id = revocations.account_id
    left join graph.memberships as membership
        on (revocations.entitlement_type <> 'role' or source.is_from_files) and membership.source = revocations.source
        and membership.account_id = revocations.account_id and membership.group_id = revocations.entitlement_id
    left join target_roles
        on target_roles.source = revocations.source and target_roles.known_as = lower(revocations.target_role)
    left join graph.roles as role on role.source = revocations.source and role.role_id = target_roles.role_id
    left join graph.roles as own_role
        on revocations.entitlement_type = 'role' and own_role.source = revocations.source
        and own_role.role_id = revocations.entitlement_id
    left join sent_items on sent_items.item_id = revocations.item_id
    left join reports.protected_accounts as protected
        on protected.source = revocations.source and protected.account_id = revocations.account_id
)

select
    source, account_id, action, null::varchar as finding_id, campaign, item_id, entitlement_type, entitlement_id,
    coalesce(entitlement_name, entitlement_id) as entitlement_name, target_role_id, target_name, target_role,
    decision, decided_by, words, user_name, coalesce(display_name, user_name, account_id) as display_name,
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
    -- --include overrides this protection
    coalesce(may_be_named and left_out_because = protection, false) as may_be_named, is_from_files as is_task
from (
    select
        *,
        case
            when is_present is null then 'its source is not part of this extract'
            when is_from_files then 'the application is changed by hand: see the task list'
            when protection is not null and (applies_to = 'any' or action in ('deactivate', 'change_role'))
                then protection
            when action = 'change_role' and target_role_id is null then 'the role that should replace it does not exist'
            when action = 'change_role' and (own_rank is null or target_rank is null)
                then 'whether the role that should replace it is lower is not known: a rank is missing in roles.csv'
            when action = 'change_role' and target_rank >= own_rank
                then 'the role that should replace it is not lower'
            when seen_in = 'group' then
                'only the group lists the membership, and this program does not change that list: remove it in Sisense'
        end as left_out_because
    from planned_actions
) as classified_actions
order by source, account_id, action, entitlement_id
