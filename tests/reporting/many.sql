-- Accounts up to 20,000, with names, ids and times that repeat as little as in life; 5 roles and groups each, 5,000 findings.
create temp table words as
select list(word order by word) as list
from (select chr(cast(65 + i % 26 as integer)) || substr(translate(md5(cast(i as varchar)), '0123456789', 'aeioulnrst'), 1, 3 + i % 6) as word from range(900) as each(i));
create temp table people as
select
    n, substr(md5('id' || n), 1, 24) as account_id, list[cast(1 + hash(n) % 900 as bigint)] as first_name, list[cast(1 + hash(n * 31) % 900 as bigint)] as last_name,
    cast(hash(n * 7) % 700 as bigint) as days, 'Department ' || hash(n * 5) % 80 as department, hash(n * 11) % 400 as team
from range(19999) as each(n)
cross join words;
insert into reports.population by name
select
    (select any_value(snapshot_id) from reports.population) as snapshot_id, 'prod' as source, account_id,
    lower(first_name || '.' || last_name) || n as user_name, lower(first_name || '.' || last_name) || n || '@example.com' as email,
    'example.com' as email_domain, first_name || ' ' || last_name as display_name, first_name, last_name, 'human' as account_type,
    if(n % 12 = 0, 'inactive', 'active') as status, 'sso' as origin, timestamp '2026-11-01' - to_seconds(cast(hash(n * 3) % 90000000 as bigint)) as created_at,
    hash(n * 3) % 90000000 // 86400 as age_days, timestamp '2026-11-01' - to_days(cast(days as integer)) - to_seconds(cast(hash(n * 13) % 80000 as bigint)) as last_login_at,
    timestamp '2026-11-01' - to_days(cast(days as integer)) as last_seen_at, days as days_since_seen, 'seen' as login_state, 'r' || n % 8 as role_id,
    'Role ' || n % 8 as role_name, 'Role ' || n % 8 as role_display_name, 10 as role_rank, n % 200 = 0 as privileged, 4 as group_count,
    'P' || n as person_id, 'email' as person_match, 'active' as employment_status,
    'manager' || team || '@example.com' as manager_email, department, true as in_scope, 'unchanged' as change_since_baseline,
    hash(n * 17) % 100 as risk_score, if(n % 4 = 0, 'medium', null) as top_severity, if(n % 4 = 0, 1, 0) as finding_count
from people;
insert into graph.people by name
select 'P' || n as person_id, first_name || ' ' || last_name as display_name, ['Analyst', 'Engineer', 'Planner'][1 + n % 3] as title, department from people;
insert into reports.access by name
select
    'prod' as source, account_id, if(place = 0, 'role', 'group') as entitlement_type,
    if(place = 0, 'r' || n % 8, 'g' || (team + place * 37) % 400) as entitlement_id,
    if(place = 0, 'Role ' || n % 8, 'Group of team ' || (team + place * 37) % 400) as entitlement_name, 'standard' as permission_level,
    'direct' as grant_type, (select any_value(snapshot_id) from reports.population) as first_seen_snapshot_id,
    'department ' || department as peer_group, hash(department) % 300 as peer_n, hash(department || place || team) % 300 as peer_k,
    'unchanged' as change_since_baseline, if(place > 0, 'keep', null) as prior_decision,
    if(place > 0, 'manager' || team || '@example.com', null) as prior_reviewer,
    if(place > 0, timestamp '2026-08-01' + to_seconds(cast(hash(n * 19) % 900000 as bigint)), null) as prior_decision_at, 'keep' as recommendation,
    hash(department || place || team) % 300 || ' of the ' || hash(department) % 300 || ' people in ' || department || ' have this group.' as recommendation_reason
from people
cross join range(5) as each(place);
insert into reports.findings by name
with model as (from reports.findings where account_id is not null limit 1)
select
    model.* replace (
        substr(md5('finding' || n), 1, 16) as finding_id, people.account_id as account_id, people.account_id as subject_id,
        lower(first_name || '.' || last_name) || n || '@example.com' as email, 'Last seen ' || days || ' days before the review.' as detail,
        cast(days as varchar) as observed_value, 'manager' || team || '@example.com' as owner_email)
from people
cross join model
where n % 4 = 0;
insert into reports.finding_rows by name
with model as (from reports.finding_rows where account_id is not null limit 1)
select
    model.* replace (
        found.finding_id as finding_id, found.account_id as account_id, found.subject_id as subject_id, found.email as email,
        account.display_name as label, account.department as department, found.detail as detail, found.owner_email as owner_email,
        found.owner_email as owner)
from reports.findings as found
join reports.population as account on account.account_id = found.account_id and account.person_id is not null
cross join model;
insert into reports.finding_accounts by name
select finding_id, rule_id, title, severity, 3 as severity_rank, status, source, account_id, false as names_access
from reports.findings
where observed_value <> '334';
insert into reports.changes by name
select
    'membership' as object_kind, 'added' as change, 'prod' as source, account_id || ':g' || team as key, first_name || ' > group' as label,
    'group' as field, 'Group of team ' || team as new_value, 'none' as privileged_effect
from people
where n % 10 = 0
