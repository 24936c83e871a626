-- Which active accounts reach a dashboard, model or folder, and by which path?
-- $object: the object's id or its exact title
with

matching_objects as (
    select source, object_type, object_id, object_name
    from graph.objects
    where object_id = $object or object_name = $object
),

-- What a role reaches by itself stands once for all objects of a type.
matching_grants as (
    select
        object.source, object.object_type, object.object_id, granted.level, granted.granted_to_type,
        granted.granted_to_id,
        case
            when granted.object_id = '' then 'role ' || granted.granted_to_name || ' > ' || replace(object.object_type, 'model', 'data model') || ' ' || object.object_name
            else granted.path
        end as path
    from matching_objects as object
    join graph.object_grants as granted
        on granted.source = object.source and granted.object_type = object.object_type
        and granted.object_id in (object.object_id, '')
),

grantees as (
    select distinct source, granted_to_type, granted_to_id from matching_grants
),

active_accounts as (
    select source, account_id, role_id from graph.accounts where status = 'active'
),

holders as (
    select grantee.*, account.account_id
    from grantees as grantee
    join active_accounts as account on account.source = grantee.source and account.account_id = grantee.granted_to_id
    where grantee.granted_to_type = 'account'
    union all
    select grantee.*, account.account_id
    from grantees as grantee
    join graph.memberships as member on member.source = grantee.source and member.group_id = grantee.granted_to_id
    join active_accounts as account on account.source = member.source and account.account_id = member.account_id
    where grantee.granted_to_type = 'group'
    union all
    select grantee.*, account.account_id
    from grantees as grantee
    join active_accounts as account on account.source = grantee.source and account.role_id = grantee.granted_to_id
    where grantee.granted_to_type = 'role'
    union all
    select grantee.*, account.account_id
    from grantees as grantee
    join active_accounts as account on account.source = grantee.source
    where grantee.granted_to_type = 'everyone'
)

select
    account.source, granted.object_type, granted.object_id, account.account_id, account.email, granted.level,
    case when granted.granted_to_type = 'account' then '' else account.display_name || ' > ' end || granted.path as path
from matching_grants as granted
join holders
    on holders.source = granted.source and holders.granted_to_type = granted.granted_to_type
    and holders.granted_to_id = granted.granted_to_id
join graph.accounts as account on account.source = holders.source and account.account_id = holders.account_id
order by account.source, granted.object_type, granted.object_id, account.email, account.account_id, granted.level, path
