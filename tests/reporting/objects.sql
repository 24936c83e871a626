-- Invented objects, grants, row rules, seats and settings.
insert into graph.memberships by name
select source, account_id, 'g' || (row_number() over (order by account_id) % 12) as group_id from graph.accounts;
insert into graph.objects by name
select
    'prod' as source, if(n % 5 = 0, 'model', 'dashboard') as object_type, 'o' || n as object_id,
    ['Quarterly results', 'Pipeline by region', 'Salaries and bonuses', 'Orders', 'Web traffic'][n % 5 + 1] || ' ' || n as object_name,
    'user' || lpad(cast(n % 40 as varchar), 5, '0') || '@example.com' as owner_email, n % 97 = 2 as is_public,
    if(n % 7 = 2, 'confidential', null) as sensitivity, n % 7 = 2 as is_sensitive
from range($objects) as each(n);
insert into graph.object_grants by name
with parties as (
    select * from (values
        (1, 'account', 'owner', '000000000000000000000001', 'Ann Example', 1), (2, 'group', 'view', 'g1', 'Sales Team', 14),
        (3, 'group', 'edit', 'g2', 'Finance and controlling of the northern region', 3), (4, 'account', 'view', 'gone', null, 0),
        (5, 'everyone', 'view', 'everyone', 'Everyone', 40), (6, 'invitation', 'view', 'x@partner.test', 'x@partner.test', 0),
        (7, 'group', 'view', 'g3', 'Marketing', 9), (8, 'group', 'view', 'g4', 'Field Sales', 9), (9, 'group', 'view', 'g5', 'R&D', 2),
        (10, 'group', 'view', 'g6', 'Board', 5)
    ) as party(place, granted_to_type, level, granted_to_id, granted_to_name, accounts_reached)
)
select
    object.source, object.object_type, object.object_id, party.level, party.granted_to_type, party.granted_to_id,
    party.granted_to_name, party.accounts_reached, 1 as privileged_reached, 0 as external_reached
from graph.objects as object
cross join parties as party
where party.granted_to_type not in ('everyone', 'invitation') or hash(object.object_id) % 50 < 2
union all
select source, object_type, object_id, 'view', 'public', '', null, null, null, null from graph.objects where is_public
union all
select distinct 'prod', object_type, '', 'edit', 'role', 'r1', 'Sys. Admin', 2, 2, 0 from graph.objects;
insert into graph.row_access by name
select
    source, object_id as model_id, 'Orders' as table_name, rule.column_name, rule.granted_to_type, rule.granted_to_id, rule.access
from graph.objects
cross join (values ('Region', 'group', 'g1', 'some'), ('Region', 'default', '', 'nothing'), ('Country', 'account', 'a', 'everything')) as rule(column_name, granted_to_type, granted_to_id, access)
where object_type = 'model' and hash(object_id) % 2 = 0;
insert into graph.seats by name
select 'prod' as source, seat.* from (values ('admin', 12, 20), ('designer', 30, 40), ('viewer', 200, 250)) as seat(seat_class, seats_used, seats_bought);
insert into graph.sign_on by name
select 'prod' as source, true as is_sso_enabled, 'saml' as sso_type, true as creates_accounts, true as is_legacy_jwt, true as syncs_groups, false as is_lockout_enabled;
insert into policy.licence_prices values ('admin', 1200, 'EUR'), ('viewer', 99.5, 'EUR')
