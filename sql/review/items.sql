-- Adds the items of a campaign: every role and group in its scope, each with a reviewer or the reason to leave it out
-- $campaign: the campaign's name
-- $scope: all, privileged, external, flagged or changed
-- $owner_rank: rank of the owner among the reviewers, from 1; null if owners do not review
-- $manager_rank: rank of the manager; null if managers do not review
-- $fallbacks: e-mail addresses of the reviewers after them, in order
insert into review.items by name
with

scoped_access as (
    select
        access.* exclude (rule_ids), held.is_account_role, account.user_name, account.display_name, account.person_id, account.account_type,
        account.status, account.last_seen_at, account.login_state, account.manager_email, account.department,
        people.title, account.in_scope, account.exclusion_reason
    from reports.access as access
    join reports.population as account
        on account.source = access.source and account.account_id = access.account_id
    join graph.effective_access as held
        on held.source = access.source and held.account_id = access.account_id
        and held.entitlement_type = access.entitlement_type and held.entitlement_id = access.entitlement_id
    left join graph.people as people on people.person_id = account.person_id
    where case $scope
        when 'all' then true
        when 'privileged' then account.privileged or access.permission_level <> 'standard'
        when 'external' then account.email_domain not in (select email_domain from policy.email_domains)
        when 'flagged' then access.rule_ids <> ''
        when 'changed' then access.change_since_baseline in ('new', 'changed', 'reappeared')
    end
),

-- A finding in its own words, as in findings.csv. '; ' separates findings; intervals of statistics stay in the CSV file.
described_findings as (
    select
        finding_id, severity,
        title || coalesce(': ' || rtrim(regexp_replace(
            replace(detail, '; ', ', '), '[:,]? ?[0-9.]+ % \(95 % interval [0-9.]+ to [0-9.]+ %\)', '', 'g'
        ), '.'), '') as title
    from findings.register
    where status = 'open'
),

account_findings as (
    select found.source, found.account_id, found.rule_id, described.title, found.severity_rank as place
    from reports.finding_accounts as found
    join described_findings as described on described.finding_id = found.finding_id
    where found.status = 'open' and not found.names_access
),

accounts_with_role as (
    select distinct source, account_id from scoped_access where is_account_role
),

-- A finding that names roles and groups marks these. A finding about the whole account marks its role, because removing
-- the role deactivates the account; only if the campaign does not have that item, it marks all others.
marked_items as (
    select access.item_id, findings.rule_id, findings.title, findings.place
    from scoped_access as access
    join account_findings as findings on findings.source = access.source and findings.account_id = access.account_id
    left join accounts_with_role
        on accounts_with_role.source = access.source and accounts_with_role.account_id = access.account_id
    where access.is_account_role or accounts_with_role.account_id is null
    union all
    select access.item_id, named.rule_id, described.title, severities.position
    from scoped_access as access
    join reports.finding_access as named
        on named.source = access.source and named.account_id = access.account_id
        and named.entitlement_type = access.entitlement_type and named.entitlement_id = access.entitlement_id
    join described_findings as described on described.finding_id = named.finding_id
    join reference.severities as severities on severities.severity = described.severity
    where named.status = 'open'
),

item_findings as (
    select
        item_id, min(place) as place,
        array_to_string(list_sort(list(distinct title)), '; ') as findings,
        array_to_string(list_sort(list(distinct rule_id)), '; ') as rule_ids
    from marked_items
    group by item_id
),

whole_account_findings as (
    select
        source, account_id, min(place) as place, array_to_string(list_sort(list(distinct title)), '; ') as findings
    from account_findings
    group by source, account_id
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

role_levels as (
    select role.source, role.role_id, max_by(levels.level, levels.minimum_rank) as level
    from graph.roles as role
    join reference.rank_levels as levels on levels.minimum_rank <= role.role_rank
    group by role.source, role.role_id
),

-- What a role or group permits, as a manager would say it.
permissions as (
    select
        role.source, 'role' as entitlement_type, role.role_id as entitlement_id,
        case role_levels.level
            when 'super' then 'Full control of the whole installation'
            when 'admin' then 'Administer the system: all accounts, groups, data and settings'
            when 'tenant_admin' then 'Administer one tenant: its accounts, groups, data and settings'
            when 'data_admin' then 'Manage data sources and data models, and see all data in them'
            when 'data_designer' then 'Build data models, and design dashboards'
            when 'designer' then 'Design and share dashboards'
            when 'viewer' then 'View dashboards that others share'
            else case when role.rank_basis = 'unclassified'
                then 'Not known: the role has no rank in the policy' else 'Very little: less than viewing' end
        end
            || case when role.manages_users and coalesce(role_levels.level, '') not in ('super', 'admin', 'tenant_admin')
                then '; also manage other accounts or groups' else '' end
            || case when not role.is_builtin and role.base_role_name is not null
                then '. A role of your own, based on ' || role.base_role_name else '' end
            || '.' as allows
    from graph.roles as role
    left join role_levels on role_levels.source = role.source and role_levels.role_id = role.role_id
    union all
    select
        groups.source, coalesce(groups.entitlement_type, 'group'), groups.group_id,
        case when source.is_from_files then coalesce(rtrim(groups.description, '.') || '. ', '') || 'Held by '
            || counted(groups.member_count, 'account') || '.'
        else 'See what is shared with this group of ' || counted(groups.member_count, 'account')
            || case
                when role.role_id is not null
                    then '. Accounts from a directory get the role ' || coalesce(role.role_display_name, role.role_name)
                        || ' through it'
                else '' end
            || case when groups.is_listed_privileged then '. The policy lists it as privileged' else '' end
            || '.' end
    from graph.groups as groups
    left join graph.sources as source on source.source = groups.source
    left join graph.roles as role on role.source = groups.source and role.role_id = groups.role_id
),

-- Of lists that were not read whole, only what was found can be said. A group that opens nothing says so.
reach as (
    select
        permissions.source, permissions.entitlement_type, permissions.entitlement_id,
        case
            when found.summary is not null then case when lists.is_whole then '' else 'at least ' end || found.summary
            when permissions.entitlement_type = 'group' and lists.is_whole then 'no dashboard and no data model'
        end as opens
    from permissions
    join (
        select source, bool_and(state = 'FULL') as is_whole
        from graph.object_lists
        where list in ('dashboards', 'models')
        group by source
        having bool_or(state in ('FULL', 'PARTIAL'))
    ) as lists on lists.source = permissions.source
    left join graph.entitlement_reach as found
        on found.source = permissions.source and found.entitlement_type = permissions.entitlement_type
        and found.entitlement_id = permissions.entitlement_id
),

access as (
    select
        access.*, item_findings.findings, coalesce(item_findings.rule_ids, '') as rule_ids,
        whole_account_findings.findings as account_findings, account_severities.severity as account_risk,
        permissions.allows, reach.opens,
        -- Access that is privileged, or may be, is high risk even without a finding.
        case
            when access.permission_level <> 'standard' and coalesce(item_findings.place, 9) > 2 then 'high'
            else coalesce(severities.severity, 'info')
        end as risk,
        case
            when not access.in_scope then access.exclusion_reason
            when everyone_groups.group_id is not null then 'Built-in group that everyone is in.'
        end as left_out_because
    from scoped_access as access
    left join item_findings on item_findings.item_id = access.item_id
    left join reference.severities as severities on severities.position = item_findings.place
    left join whole_account_findings
        on whole_account_findings.source = access.source and whole_account_findings.account_id = access.account_id
    left join reference.severities as account_severities on account_severities.position = whole_account_findings.place
    left join permissions
        on permissions.source = access.source and permissions.entitlement_type = access.entitlement_type
        and permissions.entitlement_id = access.entitlement_id
    left join reach
        on reach.source = access.source and reach.entitlement_type = access.entitlement_type
        and reach.entitlement_id = access.entitlement_id
    left join everyone_groups on access.entitlement_type = 'group' and everyone_groups.source = access.source
        and everyone_groups.group_id = access.entitlement_id
),

fallbacks as (
    select unnest($fallbacks) as address, generate_subscripts($fallbacks, 1) as place
),

candidates as (
    select access.item_id, match_key(owners.reviewer_email) as address, 'owner' as basis, $owner_rank as place
    from access
    join policy.owners as owners
        on owners.entitlement_type in (access.entitlement_type, access.source || ':' || access.entitlement_type)
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
    left join temp.person_addresses as own
        on own.person_id = access.person_id and own.address = candidates.address
    where candidates.place is not null and own.address is null
        and candidates.address is distinct from match_key(access.email)
        and candidates.address is distinct from match_key(access.user_name)
        and candidates.address not in (select address from temp.person_addresses where is_leaver)
),

ranked_candidates as (
    select *, row_number() over (partition by item_id order by place, address) as rank from eligible_candidates
),

assigned_items as (
    select
        $campaign as campaign, access.item_id, access.source, access.account_id, access.user_name, access.email,
        access.display_name, access.person_id, access.title, access.department, access.manager_email,
        access.account_type, access.status, access.login_state, access.last_seen_at, access.entitlement_type, access.entitlement_id, access.entitlement_name,
        access.permission_level, access.allows, access.opens, access.path,
        case
            when access.peer_n is not null
                then grouped(access.peer_k) || ' of ' || counted(access.peer_n, 'peer') || ' (' || access.peer_group || ')'
        end as peers,
        access.findings, access.account_findings, access.account_risk, access.rule_ids, access.risk, access.change_since_baseline, access.recommendation,
        access.recommendation_reason, access.prior_decision, access.prior_reviewer, access.prior_decision_at,
        access.left_out_because as exclusion_reason,
        case when access.left_out_because is null then reviewer.address end as reviewer_email,
        case when access.left_out_because is null then reviewer.basis end as reviewer_basis,
        -- A person has one card, with all accounts.
        substr(sha256(coalesce(
            'person' || chr(31) || access.person_id, access.source || chr(31) || access.account_id
        )), 1, 16) as card_id
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

-- Cards come in this order: people with a finding or high risk by severity, those with new or changed access, the rest,
-- and last those whose access was kept last time and has not changed.
cards as (
    select
        items.card_id, min(coalesce(items.display_name, items.user_name, items.account_id)) as name,
        case when bool_or(
            items.findings is not null or items.account_findings is not null or items.risk in ('critical', 'high')
        ) then 1 else min(items.own_attention) end as band,
        min(least(coalesce(account_severities.position, 9), severities.position)) as severity
    from items_by_attention as items
    join reference.severities as severities on severities.severity = items.risk
    left join reference.severities as account_severities on account_severities.severity = items.account_risk
    where items.exclusion_reason is null
    group by items.card_id
),

positioned_items as (
    select
        items.*,
        case when items.exclusion_reason is null then
            row_number() over (
                partition by items.exclusion_reason is null
                order by
                    cards.band, case when cards.band = 1 then cards.severity end, cards.name, items.card_id,
                    attention, conflict_id is null, conflict_holder, conflict_id, source, account_id,
                    entitlement_type = 'group', coalesce(entitlement_name, entitlement_id), item_id
            )
        end as position
    from items_with_conflicts as items
    left join cards on cards.card_id = items.card_id
),

-- The order of a packet is fixed here. Runs of equal decisions are counted in the same order.
placed_items as (
    select
        *,
        case when exclusion_reason is null then
            row_number() over (partition by exclusion_reason is null, reviewer_email order by position)
        end as place
    from positioned_items
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
        )), '; ') as conflict,
        array_to_string(list_sort(list(distinct other.item_id)), '; ') as conflict_with
    from conflicts
    join placed_items as item on item.item_id = conflicts.item_id
    left join placed_items as other on other.item_id = conflicts.other_item_id
    group by conflicts.item_id
)

select placed_items.* exclude (conflict_id, conflict_holder), other_sides.conflict, other_sides.conflict_with
from placed_items
left join other_sides on other_sides.item_id = placed_items.item_id
