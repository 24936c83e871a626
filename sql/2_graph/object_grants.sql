/*
summary = "One grant of an object to an account, a group, a role, everyone, the public or an invited address. Groups are not multiplied out over their members."
reads   = [
    "graph.objects", "staging.dashboard_shares", "staging.dashboard_invitations", "staging.model_shares", "graph.accounts",
    "graph.groups", "graph.memberships", "graph.roles", "reference.role_names", "reference.role_reach",
    "policy.email_domains",
]
grain   = ["source", "object_type", "object_id", "granted_to_type", "granted_to_id"]

[columns]
source             = "varchar: the source's name in the configuration"
object_type        = "varchar: dashboard, model or folder"
object_id          = "varchar: the object; empty for what a role reaches by itself, which is every object of the type"
level              = "varchar: owner, edit, view (a dashboard), read or use (a model); the highest if several grants name the same party; the lowest of the type if the source does not say"
granted_to_type    = "varchar: account, group, role, everyone (a built-in group that holds all accounts), public (anyone with the link) or invitation"
granted_to_id      = "varchar: the account, group or role; the normalised address of an invitation; empty for public"
granted_to_name    = "varchar: its name, as shown to people; null if nothing has the id"
path               = "varchar: the path from the party to the object, in words"
accounts_reached   = "bigint: active accounts of the source that the grant reaches; null for public, which needs no account"
privileged_reached = "bigint: how many of them are privileged; null for public"
external_reached   = "bigint: how many of them have an address outside the organization; null for public, or if its domains are not known"
*/
with

-- What the source says of the type of a party is kept, unless it says nothing that can be used.
shares as (
    select
        source, 'dashboard' as object_type, dashboard_id as object_id, party_type, party_id, rule as level,
        false as is_everyone
    from staging.dashboard_shares
    union all
    select source, 'model', model_id, party_type, party_id, level, coalesce(is_everyone, false)
    from staging.model_shares
),

party_shares as (
    select
        share.source, share.object_type, share.object_id,
        case
            when share.is_everyone or everyone.is_everyone then 'everyone'
            when share.party_type = 'group' or (share.party_type <> 'user' and everyone.group_id is not null) then 'group'
            else 'account'
        end as granted_to_type,
        share.party_id as granted_to_id,
        case
            when share.level in ('edit', 'view', 'read', 'use') then share.level
            -- The owner's own share has no level.
            when share.object_type = 'dashboard' and object.owner_id is null and share.level is null then 'owner'
            when share.object_type = 'dashboard' then 'view'
            else 'use'
        end as level
    from shares as share
    left join graph.objects as object
        on object.source = share.source and object.object_type = share.object_type and object.object_id = share.object_id
    left join graph.groups as everyone
        on share.party_type <> 'user' and everyone.source = share.source and everyone.group_id = share.party_id
),

levels as (
    select 'owner' as level, 1 as position
    union all
    select 'edit', 2
    union all
    select 'view', 3
    union all
    select 'read', 3
    union all
    select 'use', 4
),

all_grants as (
    select source, object_type, object_id, 'account' as granted_to_type, owner_id as granted_to_id, 'owner' as level
    from graph.objects
    where owner_id is not null
    union all
    select source, object_type, object_id, granted_to_type, granted_to_id, level from party_shares
    union all
    select source, object_type, object_id, 'public', '', 'view' from graph.objects where is_public
),

object_grants as (
    select grants.source, grants.object_type, grants.object_id, grants.granted_to_type, grants.granted_to_id, grants.level
    from all_grants as grants
    join levels on levels.level = grants.level
    qualify row_number() over (
        partition by
            grants.source, grants.object_type, grants.object_id, grants.granted_to_type, grants.granted_to_id
        order by levels.position
    ) = 1
),

builtin_levels as (
    select lower(role_name) as name, level from reference.role_names
    union
    select lower(display_name), level from reference.role_names
),

-- A custom role reaches what the role that it is based on reaches. The policy may rank roles as it likes; that does not
-- change what they open.
role_grants as (
    select distinct
        role.source, reach.object_type, '' as object_id, 'role' as granted_to_type, role.role_id as granted_to_id,
        reach.access as level
    from graph.roles as role
    join builtin_levels as builtin on builtin.name in (lower(role.role_name), lower(role.base_role_name))
    join reference.role_reach as reach on reach.level = builtin.level
    semi join graph.objects as object on object.source = role.source and object.object_type = reach.object_type
),

invitations as (
    select source, dashboard_id, coalesce(email_key, email) as granted_to_id, min(email) as email
    from staging.dashboard_invitations
    where coalesce(email_key, email) is not null
    group by source, dashboard_id, coalesce(email_key, email)
),

grants as (
    select source, object_type, object_id, granted_to_type, granted_to_id, level from object_grants
    union all
    select source, object_type, object_id, granted_to_type, granted_to_id, level from role_grants
    union all
    select source, 'dashboard', dashboard_id, 'invitation', granted_to_id, 'view' from invitations
),

-- Each party is counted once, however many objects it reaches.
granted_parties as (
    select distinct source, granted_to_type, granted_to_id from grants
),

own_domains as (
    select count(*) > 0 as is_known from policy.email_domains
),

active_accounts as (
    select
        account.source, account.account_id, account.role_id,
        case when account.privileged then 1 else 0 end as privileged,
        case when account.email_domain is not null and inside.email_domain is null then 1 else 0 end as external
    from graph.accounts as account
    left join policy.email_domains as inside on inside.email_domain = account.email_domain
    where account.status = 'active'
),

granted_groups as (
    select source, granted_to_id as group_id from granted_parties where granted_to_type = 'group'
),

account_sums as (
    select source, 'account' as party_type, account_id as party_id, 1 as accounts, privileged, external
    from active_accounts
    union all
    select source, 'role', role_id, count(*), sum(privileged), sum(external)
    from active_accounts
    group by source, role_id
    union all
    select member.source, 'group', member.group_id, count(*), sum(account.privileged), sum(account.external)
    from graph.memberships as member
    semi join granted_groups as granted on granted.source = member.source and granted.group_id = member.group_id
    join active_accounts as account on account.source = member.source and account.account_id = member.account_id
    group by member.source, member.group_id
    union all
    select party.source, 'everyone', party.granted_to_id, totals.accounts, totals.privileged, totals.external
    from granted_parties as party
    join (
        select source, count(*) as accounts, sum(privileged) as privileged, sum(external) as external
        from active_accounts
        group by source
    ) as totals on totals.source = party.source
    where party.granted_to_type = 'everyone'
),

party_names as (
    select source, 'account' as party_type, account_id as party_id, display_name as name from graph.accounts
    union all
    select source, 'group', group_id, coalesce(group_name, group_id) from graph.groups
    union all
    select source, 'role', role_id, coalesce(role_display_name, role_id) from graph.roles
    union all
    select source, 'invitation', granted_to_id, min(email) from invitations group by source, granted_to_id
),

parties as (
    select
        party.source, party.granted_to_type, party.granted_to_id,
        case when party.granted_to_type = 'public' then 'anyone with the link' else names.name end as granted_to_name,
        coalesce(sums.accounts, 0) as accounts,
        coalesce(sums.privileged, 0) as privileged,
        coalesce(sums.external, 0) as external
    from granted_parties as party
    left join party_names as names
        on names.source = party.source and names.party_id = party.granted_to_id
        and names.party_type = case party.granted_to_type when 'everyone' then 'group' else party.granted_to_type end
    left join account_sums as sums
        on sums.source = party.source and sums.party_type = party.granted_to_type and sums.party_id = party.granted_to_id
)

select
    grants.source,
    grants.object_type,
    grants.object_id,
    grants.level,
    grants.granted_to_type,
    grants.granted_to_id,
    party.granted_to_name,
    case
        when party.granted_to_type = 'public' then 'public link'
        when party.granted_to_type = 'invitation' then 'invitation to ' || party.granted_to_name
        when party.granted_to_type = 'account' and party.granted_to_name is not null then party.granted_to_name
        when party.granted_to_type = 'everyone' then 'group ' || coalesce(party.granted_to_name, party.granted_to_id)
        when party.granted_to_name is not null then party.granted_to_type || ' ' || party.granted_to_name
        else party.granted_to_type || ' ' || party.granted_to_id || ' (which does not exist)'
    end
        || case when grants.level = 'owner' then ' > owner of ' else ' > ' end
        || case
            when grants.object_id = '' then 'every ' || replace(grants.object_type, 'model', 'data model')
            else replace(grants.object_type, 'model', 'data model') || ' ' || coalesce(object.object_name, grants.object_id)
        end as path,
    cast(case when grants.granted_to_type <> 'public' then party.accounts end as bigint) as accounts_reached,
    cast(case when grants.granted_to_type <> 'public' then party.privileged end as bigint) as privileged_reached,
    cast(
        case when grants.granted_to_type <> 'public' and own_domains.is_known then party.external end as bigint
    ) as external_reached
from grants
cross join own_domains
join parties as party
    on party.source = grants.source and party.granted_to_type = grants.granted_to_type
    and party.granted_to_id = grants.granted_to_id
left join graph.objects as object
    on object.source = grants.source and object.object_type = grants.object_type and object.object_id = grants.object_id

/* example
name = "owner, account, group, everyone, public link and invitation; the counts are of active accounts of the source"
given."policy.email_domains" = [ { email_domain = "example.com" } ]
given."graph.accounts" = [
  { source = "s", account_id = "a", display_name = "Ada", status = "active", privileged = true, email_domain = "example.com" },
  { source = "s", account_id = "b", display_name = "Bo", status = "active", privileged = false, email_domain = "partner.test" },
  { source = "s", account_id = "c", display_name = "Cy", status = "inactive", privileged = false, email_domain = "example.com" },
  { source = "t", account_id = "a", display_name = "Tim", status = "active", privileged = false, email_domain = "example.com" },
]
given."graph.groups" = [
  { source = "s", group_id = "g", group_name = "Sales", is_everyone = false },
  { source = "s", group_id = "e", group_name = "Everyone", is_everyone = true },
]
given."graph.memberships" = [
  { source = "s", account_id = "a", group_id = "g" }, { source = "s", account_id = "b", group_id = "g" },
  { source = "s", account_id = "c", group_id = "g" }, { source = "t", account_id = "a", group_id = "g" },
]
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "d", object_name = "Orders", owner_id = "a", is_public = true },
  { source = "t", object_type = "dashboard", object_id = "d", object_name = "Other", owner_id = "a", is_public = false },
]
given."staging.dashboard_shares" = [
  { source = "s", dashboard_id = "d", party_type = "user", party_id = "a" },
  { source = "s", dashboard_id = "d", party_type = "user", party_id = "c", rule = "view" },
  { source = "s", dashboard_id = "d", party_type = "group", party_id = "g", rule = "edit" },
  { source = "s", dashboard_id = "d", party_type = "group", party_id = "g", rule = "view" },
  { source = "s", dashboard_id = "d", party_type = "group", party_id = "e", rule = "view" },
]
given."staging.dashboard_invitations" = [ { source = "s", dashboard_id = "d", email = "New@Partner.test", email_key = "new@partner.test" } ]
expect = [
  { source = "s", granted_to_type = "account", granted_to_id = "a", level = "owner", granted_to_name = "Ada", path = "Ada > owner of dashboard Orders", accounts_reached = 1, privileged_reached = 1, external_reached = 0 },
  { source = "s", granted_to_type = "account", granted_to_id = "c", level = "view", granted_to_name = "Cy", path = "Cy > dashboard Orders", accounts_reached = 0, privileged_reached = 0, external_reached = 0 },
  { source = "s", granted_to_type = "group", granted_to_id = "g", level = "edit", granted_to_name = "Sales", path = "group Sales > dashboard Orders", accounts_reached = 2, privileged_reached = 1, external_reached = 1 },
  { source = "s", granted_to_type = "everyone", granted_to_id = "e", level = "view", granted_to_name = "Everyone", path = "group Everyone > dashboard Orders", accounts_reached = 2, privileged_reached = 1, external_reached = 1 },
  { source = "s", granted_to_type = "public", granted_to_id = "", level = "view", granted_to_name = "anyone with the link", path = "public link > dashboard Orders", accounts_reached = "<null>", privileged_reached = "<null>", external_reached = "<null>" },
  { source = "s", granted_to_type = "invitation", granted_to_id = "new@partner.test", level = "view", granted_to_name = "New@Partner.test", path = "invitation to New@Partner.test > dashboard Orders", accounts_reached = 0, privileged_reached = 0, external_reached = 0 },
  { source = "t", granted_to_type = "account", granted_to_id = "a", level = "owner", granted_to_name = "Tim", path = "Tim > owner of dashboard Other", accounts_reached = 1, privileged_reached = 0, external_reached = 0 },
]
*/
/* example
name = "a party that does not exist keeps its type, has no name and reaches nobody; a party of an unknown type is looked up"
given."graph.accounts" = [ { source = "s", account_id = "a", display_name = "Ada", status = "active", privileged = false } ]
given."graph.groups" = [ { source = "s", group_id = "g", group_name = "Sales", is_everyone = false } ]
given."graph.memberships" = [ { source = "s", account_id = "a", group_id = "gone" } ]
given."graph.objects" = [
  { source = "s", object_type = "model", object_id = "m", object_name = "Orders", owner_id = "left" },
  { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales" },
]
given."staging.model_shares" = [
  { source = "s", model_id = "m", party_type = "group", party_id = "lost", level = "read", is_everyone = false },
  { source = "s", model_id = "m", party_type = "user", party_id = "g", level = "edit", is_everyone = false },
  { source = "s", model_id = "m", party_type = "unknown", party_id = "g", level = "unknown", is_everyone = false },
  { source = "s", model_id = "m", party_type = "unknown", party_id = "?", level = "use" },
  { source = "s", model_id = "m", party_type = "group", party_id = "all", level = "use", is_everyone = true },
]
given."staging.dashboard_shares" = [ { source = "s", dashboard_id = "d", party_type = "user", party_id = "a" } ]
expect = [
  { object_id = "m", granted_to_type = "account", granted_to_id = "left", level = "owner", granted_to_name = "<null>", path = "account left (which does not exist) > owner of data model Orders", accounts_reached = 0, external_reached = "<null>" },
  { object_id = "m", granted_to_type = "group", granted_to_id = "lost", level = "read", granted_to_name = "<null>", path = "group lost (which does not exist) > data model Orders", accounts_reached = 0, external_reached = "<null>" },
  { object_id = "m", granted_to_type = "account", granted_to_id = "g", level = "edit", granted_to_name = "<null>", path = "account g (which does not exist) > data model Orders", accounts_reached = 0, external_reached = "<null>" },
  { object_id = "m", granted_to_type = "group", granted_to_id = "g", level = "use", granted_to_name = "Sales", path = "group Sales > data model Orders", accounts_reached = 0, external_reached = "<null>" },
  { object_id = "m", granted_to_type = "account", granted_to_id = "?", level = "use", granted_to_name = "<null>", path = "account ? (which does not exist) > data model Orders", accounts_reached = 0, external_reached = "<null>" },
  { object_id = "m", granted_to_type = "everyone", granted_to_id = "all", level = "use", granted_to_name = "<null>", path = "group all > data model Orders", accounts_reached = 1, external_reached = "<null>" },
  { object_id = "d", granted_to_type = "account", granted_to_id = "a", level = "owner", granted_to_name = "Ada", path = "Ada > owner of dashboard Sales", accounts_reached = 1, external_reached = "<null>" },
]
*/
/* example
name = "administrators reach every dashboard and model through their role, by either name or the role it is based on; data administrators every model"
given."reference.role_names" = [
  { role_name = "super", display_name = "Sys. Admin", level = "super" }, { role_name = "admin", display_name = "Admin", level = "admin" },
  { role_name = "dataAdmin", display_name = "Data Admin", level = "data_admin" }, { role_name = "consumer", display_name = "Viewer", level = "viewer" },
]
given."graph.roles" = [
  { source = "s", role_id = "1", role_name = "super", role_display_name = "Sys. Admin" },
  { source = "s", role_id = "2", role_name = "Custom", base_role_name = "admin", role_display_name = "Custom" },
  { source = "s", role_id = "3", role_name = "Data Admin", role_display_name = "Data Admin" },
  { source = "s", role_id = "4", role_name = "consumer", role_display_name = "Viewer" },
  { source = "t", role_id = "1", role_name = "super", role_display_name = "Sys. Admin" },
  { source = "without objects", role_id = "1", role_name = "super", role_display_name = "Sys. Admin" },
]
given."graph.accounts" = [
  { source = "s", account_id = "a", role_id = "1", status = "active", privileged = true },
  { source = "s", account_id = "b", role_id = "1", status = "inactive", privileged = true },
  { source = "t", account_id = "a", role_id = "1", status = "active", privileged = true },
  { source = "t", account_id = "b", role_id = "1", status = "active", privileged = true },
]
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "d" }, { source = "s", object_type = "dashboard", object_id = "e" },
  { source = "s", object_type = "model", object_id = "m" }, { source = "t", object_type = "model", object_id = "m" },
]
expect = [
  { source = "s", object_type = "dashboard", object_id = "", level = "edit", granted_to_type = "role", granted_to_id = "1", granted_to_name = "Sys. Admin", path = "role Sys. Admin > every dashboard", accounts_reached = 1, privileged_reached = 1 },
  { source = "s", object_type = "model", object_id = "", level = "edit", granted_to_type = "role", granted_to_id = "1", granted_to_name = "Sys. Admin", path = "role Sys. Admin > every data model", accounts_reached = 1, privileged_reached = 1 },
  { source = "s", object_type = "dashboard", object_id = "", level = "edit", granted_to_type = "role", granted_to_id = "2", granted_to_name = "Custom", path = "role Custom > every dashboard", accounts_reached = 0, privileged_reached = 0 },
  { source = "s", object_type = "model", object_id = "", level = "edit", granted_to_type = "role", granted_to_id = "2", granted_to_name = "Custom", path = "role Custom > every data model", accounts_reached = 0, privileged_reached = 0 },
  { source = "s", object_type = "model", object_id = "", level = "edit", granted_to_type = "role", granted_to_id = "3", granted_to_name = "Data Admin", path = "role Data Admin > every data model", accounts_reached = 0, privileged_reached = 0 },
  { source = "t", object_type = "model", object_id = "", level = "edit", granted_to_type = "role", granted_to_id = "1", granted_to_name = "Sys. Admin", path = "role Sys. Admin > every data model", accounts_reached = 2, privileged_reached = 2 },
]
*/
