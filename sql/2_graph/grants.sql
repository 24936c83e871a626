/*
summary = "One role or group that one account holds, whatever the account's status. The role or group may not exist."
reads   = ["graph.accounts", "graph.memberships", "graph.groups"]
grain   = ["source", "account_id", "entitlement_type", "entitlement_id"]

[columns]
source               = "varchar: the source's name in the configuration"
account_id           = "varchar: the account"
entitlement_type     = "varchar: role or group; for an application that is read from files, what its file calls it"
entitlement_id       = "varchar: id of the role or group"
is_account_role      = "boolean: the one role of the account, which it cannot be without; entitlements of a file are not"
grant_type           = "varchar: inherited if a group gave the role to a directory or SSO account, else direct"
granted_via_group_id = "varchar: the group that gave the role; the lowest id if several groups carry it"
seen_in              = "varchar: the record that lists the grant: user, group or both; file for an application that is read from files"
*/
with

-- Only imported accounts get the role of their groups; other accounts keep the role in their record.
group_roles as (
    select membership.source, membership.account_id, carrier.role_id, min(carrier.group_id) as group_id
    from graph.memberships as membership
    join graph.groups as carrier on carrier.source = membership.source and carrier.group_id = membership.group_id
    where carrier.role_id is not null
    group by membership.source, membership.account_id, carrier.role_id
),

inherited_roles as (
    select account.source, account.account_id, carried.group_id
    from graph.accounts as account
    join group_roles as carried
        on carried.source = account.source and carried.account_id = account.account_id
        and carried.role_id = account.role_id
    where account.origin in ('directory', 'sso')
)

select
    account.source,
    account.account_id,
    'role' as entitlement_type,
    account.role_id as entitlement_id,
    true as is_account_role,
    case when inherited.group_id is null then 'direct' else 'inherited' end as grant_type,
    inherited.group_id as granted_via_group_id,
    'user' as seen_in
from graph.accounts as account
left join inherited_roles as inherited
    on inherited.source = account.source and inherited.account_id = account.account_id
where account.role_id is not null
union all
select
    membership.source,
    membership.account_id,
    case when membership.seen_in = 'file' then coalesce(held.entitlement_type, 'entitlement') else 'group' end,
    membership.group_id,
    false,
    'direct',
    null,
    membership.seen_in
from graph.memberships as membership
semi join graph.accounts as account
    on account.source = membership.source and account.account_id = membership.account_id
left join graph.groups as held
    on membership.seen_in = 'file' and held.source = membership.source and held.group_id = membership.group_id

/* example
name = "a directory account inherits its role from the lowest group that carries it; a local account never does"
given."graph.accounts" = [
  { source = "s", account_id = "imported", origin = "directory", role_id = "designer" },
  { source = "s", account_id = "other role", origin = "sso", role_id = "viewer" },
  { source = "s", account_id = "local", origin = "local", role_id = "designer" },
  { source = "s", account_id = "no role", origin = "local" },
]
given."graph.groups" = [
  { source = "s", group_id = "g2", role_id = "designer" }, { source = "s", group_id = "g1", role_id = "designer" },
  { source = "s", group_id = "g0", role_id = "designer" },
]
given."graph.memberships" = [
  { source = "s", account_id = "imported", group_id = "g2", seen_in = "both" },
  { source = "s", account_id = "imported", group_id = "g1", seen_in = "user" },
  { source = "s", account_id = "local", group_id = "g1", seen_in = "both" },
  { source = "s", account_id = "other role", group_id = "g1", seen_in = "both" },
  { source = "s", account_id = "no record", group_id = "g1", seen_in = "group" },
]
expect = [
  { account_id = "imported", entitlement_type = "role", entitlement_id = "designer", grant_type = "inherited", granted_via_group_id = "g1" },
  { account_id = "imported", entitlement_type = "group", entitlement_id = "g1", grant_type = "direct", granted_via_group_id = "<null>" },
  { account_id = "imported", entitlement_type = "group", entitlement_id = "g2", grant_type = "direct", granted_via_group_id = "<null>" },
  { account_id = "local", entitlement_type = "role", entitlement_id = "designer", grant_type = "direct", granted_via_group_id = "<null>" },
  { account_id = "local", entitlement_type = "group", entitlement_id = "g1", grant_type = "direct", granted_via_group_id = "<null>" },
  { account_id = "other role", entitlement_type = "role", entitlement_id = "viewer", grant_type = "direct", granted_via_group_id = "<null>" },
  { account_id = "other role", entitlement_type = "group", entitlement_id = "g1", grant_type = "direct", granted_via_group_id = "<null>" },
]
*/
