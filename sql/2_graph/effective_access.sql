/*
summary = "One role or group that one account holds, with its person, level, and the path that grants it."
reads   = ["graph.grants", "graph.accounts", "graph.entitlements", "staging.file_grants"]
grain   = ["source", "account_id", "entitlement_type", "entitlement_id"]

[columns]
source               = "varchar: the source's name in the configuration"
account_id           = "varchar: the account"
person_id            = "varchar: the person that the account belongs to"
email                = "varchar: the account's e-mail address"
status               = "varchar: status of the account: active, inactive, pending or unknown"
entitlement_type     = "varchar: role or group; for an application that is read from files, what its file calls it"
entitlement_id       = "varchar: id of the role or group"
entitlement_name     = "varchar: its name, as shown to people; null if the role or group does not exist"
permission_level     = "varchar: privileged, standard, or unclassified"
role_rank            = "integer: rank of the role; null for a group"
is_builtin           = "boolean: every instance has this role or group; null if it does not exist"
is_account_role      = "boolean: the one role of the account, which it cannot be without; entitlements of a file are not"
grant_type           = "varchar: direct or inherited"
granted_via_group_id = "varchar: the group that gave an inherited role"
path                 = "varchar: the path from the account to the role or group, in words"
*/
select
    granted.source,
    granted.account_id,
    account.person_id,
    account.email,
    account.status,
    granted.entitlement_type,
    granted.entitlement_id,
    entitlement.entitlement_name,
    coalesce(entitlement.permission_level, 'unclassified') as permission_level,
    entitlement.role_rank,
    entitlement.is_builtin,
    granted.is_account_role,
    granted.grant_type,
    granted.granted_via_group_id,
    account.display_name
        || case when granted.granted_via_group_id is null then ''
            else ' > group ' || coalesce(via.entitlement_name, granted.granted_via_group_id) end
        || coalesce(' > ' || listed.path, '')
        || ' > ' || granted.entitlement_type || ' '
        || coalesce(entitlement.entitlement_name, granted.entitlement_id || ' (which does not exist)') as path
from graph.grants as granted
join graph.accounts as account on account.source = granted.source and account.account_id = granted.account_id
left join graph.entitlements as entitlement
    on entitlement.source = granted.source and entitlement.entitlement_type = granted.entitlement_type
    and entitlement.entitlement_id = granted.entitlement_id
left join graph.entitlements as via
    on via.source = granted.source and via.entitlement_type = 'group'
    and via.entitlement_id = granted.granted_via_group_id
left join staging.file_grants as listed
    on listed.source = granted.source and listed.account_id = granted.account_id
    and listed.entitlement_id = granted.entitlement_id

/* example
name = "the path names every step and marks a group that does not exist"
given."graph.accounts" = [ { source = "s", account_id = "a", display_name = "Ada Lovelace", status = "active" } ]
given."graph.entitlements" = [
  { source = "s", entitlement_type = "role", entitlement_id = "1", entitlement_name = "Designer", permission_level = "standard" },
  { source = "s", entitlement_type = "group", entitlement_id = "1", entitlement_name = "Sales", permission_level = "standard" },
]
given."graph.grants" = [
  { source = "s", account_id = "a", entitlement_type = "role", entitlement_id = "1", grant_type = "inherited", granted_via_group_id = "1" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "1", grant_type = "direct" },
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "9", grant_type = "direct" },
]
expect = [
  { entitlement_type = "role", entitlement_id = "1", path = "Ada Lovelace > group Sales > role Designer" },
  { entitlement_type = "group", entitlement_id = "1", path = "Ada Lovelace > group Sales" },
  { entitlement_type = "group", entitlement_id = "9", path = "Ada Lovelace > group 9 (which does not exist)", permission_level = "unclassified" },
]
*/
