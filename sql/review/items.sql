-- Adds the items of a campaign: every role and group in its scope, each with a reviewer or the reason to leave it out
-- $campaign: the campaign's name
-- $scope: all, privileged, flagged or changed
-- $owner_rank: rank of the owner among the reviewers, from 1; null if owners do not review
-- $manager_rank: rank of the manager; null if managers do not review
-- $fallbacks: e-mail addresses of the reviewers after them, in order
insert into review.items by name
with

-- A finding bears on all access of an account, or on the roles and groups that it names.
findings as (
    select source, account_id, null as entitlement_type, null as entitlement_id, title, severity_rank as place
    from reports.finding_accounts
    where status = 'open' and not names_access
    union all
    select
        named.source, named.account_id, named.entitlement_type, named.entitlement_id, named.title, severities.position as place
    from reports.finding_access as named
    join findings.register as register on register.finding_id = named.finding_id
    join reference.severities as severities on severities.severity = register.severity
    where named.status = 'open'
),

item_findings as (
    select
        access.item_id, min(findings.place) as place,
        array_to_string(list_sort(list(distinct findings.title)), '; ') as findings
    from reports.access as access
    join findings on findings.source = access.source and findings.account_id = access.account_id
        and (findings.entitlement_type is null
            or (findings.entitlement_type = access.entitlement_type
                and findings.entitlement_id = access.entitlement_id))
    group by access.item_id
),

-- Items that one person must not hold together, one row for each pair.
conflicts as (
    select item.item_id, other.item_id as other_item_id, conflict.other_name, conflict.finding_id, conflict.person_id
    from reports.conflicts as conflict
    join reports.access as item
        on item.source = conflict.source and item.account_id = conflict.account_id
        and item.entitlement_type = conflict.entitlement_type and item.entitlement_id = conflict.entitlement_id
    left join reports.access as other
        on other.source = conflict.other_source and other.account_id = conflict.other_account_id
        and other.entitlement_type = conflict.other_entitlement_type
        and other.entitlement_id = conflict.other_entitlement_id
),

conflicting_items as (
    select item_id, min(finding_id) as finding_id, min(person_id) as person_id from conflicts group by item_id
),

everyone_groups as (
    select source, group_id from graph.groups where is_everyone
),

access as (
    select
        access.*, account.user_name, account.display_name, account.person_id, account.account_type, account.status,
        account.last_seen_at, account.login_state, account.manager_email, item_findings.findings,
        -- Access that is privileged, or may be, is high risk even without a finding.
        case
            when access.permission_level <> 'standard' and coalesce(item_findings.place, 9) > 2 then 'high'
            else coalesce(severities.severity, 'info')
        end as risk,
        case
            when not account.in_scope then account.exclusion_reason
            when everyone_groups.group_id is not null then 'Built-in group of all accounts.'
        end as left_out_because
    from reports.access as access
    join reports.population as account
        on account.source = access.source and account.account_id = access.account_id
    left join item_findings on item_findings.item_id = access.item_id
    left join reference.severities as severities on severities.position = item_findings.place
    left join everyone_groups on access.entitlement_type = 'group' and everyone_groups.source = access.source
        and everyone_groups.group_id = access.entitlement_id
    where case $scope
        when 'all' then true
        when 'privileged' then account.privileged or access.permission_level <> 'standard'
        when 'flagged' then access.rule_ids <> ''
        when 'changed' then access.change_since_baseline in ('new', 'changed', 'reappeared')
    end
),

-- All addresses of each person.
person_addresses as (
    select person_id, match_key(email) as address from policy.roster
    union
    select person_id, match_key(unnest(aliases)) from policy.roster
    union
    select person_id, match_key(email) from reports.population where person_id is not null and email is not null
),

-- People who have left cannot review.
leaver_addresses as (
    select person_addresses.address
    from person_addresses
    join policy.roster as people on people.person_id = person_addresses.person_id
    where people.employment_status = 'ended'
),

fallbacks as (
    select unnest($fallbacks) as address, generate_subscripts($fallbacks, 1) as place
),

candidates as (
    select access.item_id, match_key(owners.reviewer_email) as address, 'owner' as basis, $owner_rank as place
    from access
    join policy.owners as owners on owners.entitlement_type = access.entitlement_type
        and lower(owners.entitlement_name) in (lower(access.entitlement_name), lower(access.entitlement_id))
    union all
    select item_id, match_key(manager_email), 'manager', $manager_rank from access where manager_email is not null
    union all
    select access.item_id, match_key(fallbacks.address), 'named', 100 + fallbacks.place
    from access
    cross join fallbacks
),

-- People do not review their own access, under any of their addresses and in any source.
eligible_candidates as (
    select candidates.*
    from candidates
    join access on access.item_id = candidates.item_id
    left join person_addresses as own
        on own.person_id = access.person_id and own.address = candidates.address
    where candidates.place is not null and own.address is null
        and candidates.address is distinct from match_key(access.email)
        and candidates.address is distinct from match_key(access.user_name)
        and candidates.address not in (select address from leaver_addresses where address is not null)
),

ranked_candidates as (
    select *, row_number() over (partition by item_id order by place, address) as rank from eligible_candidates
),

assigned_items as (
    select
        $campaign as campaign, access.item_id, access.source, access.account_id, access.user_name, access.email,
        access.display_name, access.person_id, access.account_type, access.status, access.login_state,
        access.last_seen_at, access.entitlement_type, access.entitlement_id, access.entitlement_name,
        access.permission_level, access.path,
        case
            when access.peer_n is not null
                then access.peer_k || ' of ' || counted(access.peer_n, 'peer') || ' (' || access.peer_group || ')'
        end as peers,
        access.findings, access.rule_ids, access.risk, access.change_since_baseline, access.recommendation,
        access.recommendation_reason, access.prior_decision, access.prior_reviewer, access.prior_decision_at,
        access.left_out_because as exclusion_reason,
        case when access.left_out_because is null then reviewer.address end as reviewer_email,
        case when access.left_out_because is null then reviewer.basis end as reviewer_basis
    from access
    left join ranked_candidates as reviewer on reviewer.item_id = access.item_id and reviewer.rank = 1
),

-- Order of attention: high risk, new or changed, the rest, and last the unchanged access that was kept last time.
items_by_attention as (
    select
        assigned_items.*, conflicting_items.finding_id as conflict_id, conflicting_items.person_id as conflict_holder,
        case
            when risk in ('critical', 'high') then 1
            when change_since_baseline in ('new', 'changed', 'reappeared') then 2
            when prior_decision = 'keep' and change_since_baseline = 'unchanged' then 4
            else 3
        end as own_attention
    from assigned_items
    left join conflicting_items on conflicting_items.item_id = assigned_items.item_id
),

-- The sides of a conflict come together, with the more urgent attention of the two.
items_with_conflicts as (
    select
        * exclude (own_attention),
        min(own_attention) over (
            partition by reviewer_email, coalesce(conflict_holder, ''), case when conflict_id is null then item_id end
        ) as attention
    from items_by_attention
),

-- The order of a packet is fixed here. Runs of equal decisions are counted in the same order.
placed_items as (
    select
        *,
        case when exclusion_reason is null then
            row_number() over (
                partition by exclusion_reason is null, reviewer_email
                order by
                    attention, conflict_id is null, conflict_holder, conflict_id, source,
                    coalesce(display_name, user_name, account_id), entitlement_type,
                    coalesce(entitlement_name, entitlement_id), item_id
            )
        end as place
    from items_with_conflicts
),

other_sides as (
    select
        conflicts.item_id,
        array_to_string(list_sort(list(distinct
            conflicts.other_name || case
                when other.item_id is null then ' (not part of this review)'
                when other.exclusion_reason is not null then ' (not reviewed)'
                when other.reviewer_email = item.reviewer_email then ' (no. ' || other.place || ' here)'
                else ' (reviewed by ' || other.reviewer_email || ')'
            end
        )), '; ') as conflict
    from conflicts
    join placed_items as item on item.item_id = conflicts.item_id
    left join placed_items as other on other.item_id = conflicts.other_item_id
    group by conflicts.item_id
)

select placed_items.* exclude (conflict_id, conflict_holder), other_sides.conflict
from placed_items
left join other_sides on other_sides.item_id = placed_items.item_id
