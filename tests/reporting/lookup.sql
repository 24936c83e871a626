-- Invented roles and groups of the accounts, decisions about them, and changes that were made.
insert into reports.access by name
with held as (
    select * from (values
        ('role', 'r1', 'Viewer', 'standard'), ('group', 'g1', 'Sales Team', 'standard'), ('group', 'g2', 'Payments', 'privileged'),
        ('group', 'gone', null, 'unclassified')
    ) as entitlement(entitlement_type, entitlement_id, entitlement_name, permission_level)
)
select
    account.snapshot_id, substr(sha256(account.account_id || held.entitlement_id), 1, 16) as item_id, account.source,
    account.account_id, account.email, held.*, 'direct' as grant_type, account.snapshot_id as first_seen_snapshot_id,
    if(held.entitlement_name is null, null, 'department Finance') as peer_group,
    if(held.entitlement_name is null, null, account.group_count + 17) as peer_n,
    if(held.entitlement_name is null, null, hash(account.account_id) % 19) as peer_k, 'no_baseline' as change_since_baseline,
    if(held.entitlement_type = 'group', 'keep', null) as prior_decision,
    if(held.entitlement_type = 'group', 'mae.owner@example.com', null) as prior_reviewer,
    if(held.entitlement_type = 'group', timestamp '2026-08-03 09:00:00', null) as prior_decision_at,
    'keep' as recommendation, 'Most of the ' || (account.group_count + 17) || ' people in Finance have this.' as recommendation_reason
from reports.population as account
cross join held
where held.entitlement_name is not null or account.privileged;
insert into graph.groups by name
select distinct source, 'g1' as group_id, true as is_builtin from reports.population;
insert into graph.review_campaigns by name
select 'Autumn' as campaign, timestamp '2026-10-01 00:00:00' as opened_at;
insert into graph.review_decisions by name
select
    'Autumn' as campaign, item_id, source, account_id, entitlement_type, entitlement_id, entitlement_name, 'mae.owner@example.com' as reviewer_email,
    if(entitlement_id = 'g2', 'mae.owner@example.com', null) as decided_by, if(entitlement_id = 'g2', 'remove', null) as decision,
    if(entitlement_id = 'g2', 'Moved to another team', null) as reason, timestamp '2026-10-02 10:00:00' as decided_at, true as is_signed
from reports.access
where entitlement_type = 'group';
insert into reports.remediation by name
select
    'c' || account_id as change_id, source, account_id, 'remove_from_groups' as action, 'Payments' as target, 'Moved to another team' as reason,
    'Autumn' as campaign, 'applied' as state, timestamp '2026-10-05 08:00:00' as applied_at, 'Ola Operator' as applied_by,
    'Ann Approver' as approver, timestamp '2026-10-04 08:00:00' as approved_at, false as is_single_operator, 'still_present' as verdict
from reports.population
where privileged
