-- Which dashboards, models and folders does an account reach, and by which path? Public dashboards need no account.
-- $account: the account's id, user name or e-mail address
with

matching_accounts as (
    select source, account_id, role_id, display_name
    from graph.accounts
    where account_id = $account or user_name_key = match_key($account) or email_key = match_key($account)
),

holdings as (
    select source, account_id, display_name, 'account' as granted_to_type, account_id as granted_to_id
    from matching_accounts
    union
    select account.source, account.account_id, account.display_name, 'group', member.group_id
    from matching_accounts as account
    join graph.memberships as member on member.source = account.source and member.account_id = account.account_id
    union
    select source, account_id, display_name, 'role', role_id from matching_accounts where role_id is not null
    union
    select account.source, account.account_id, account.display_name, 'everyone', granted.granted_to_id
    from matching_accounts as account
    join graph.object_grants as granted on granted.source = account.source and granted.granted_to_type = 'everyone'
)

select
    granted.source, granted.object_type, granted.object_id,
    coalesce(object.object_name, 'every ' || replace(granted.object_type, 'model', 'data model')) as object_name,
    granted.level,
    case when granted.granted_to_type = 'account' then '' else held.display_name || ' > ' end || granted.path as path,
    held.account_id
from holdings as held
join graph.object_grants as granted
    on granted.source = held.source and granted.granted_to_type = held.granted_to_type
    and granted.granted_to_id = held.granted_to_id
left join graph.objects as object
    on object.source = granted.source and object.object_type = granted.object_type and object.object_id = granted.object_id
order by held.source, held.account_id, granted.object_type, object_name, granted.object_id, granted.level, path
