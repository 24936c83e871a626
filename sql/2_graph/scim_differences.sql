/*
summary = "One difference between an identity provider and Sisense: a missing account, status, e-mail, groups or role."
reads   = [
    "graph.provider_users", "graph.sources", "staging.scim_groups", "staging.scim_members", "staging.directory_groups",
    "staging.directory_members", "graph.scim_links", "graph.accounts", "graph.groups", "graph.memberships",
    "graph.roles", "reference.builtin_groups",
]
grain   = ["scim_source", "difference", "source", "scim_id", "account_id", "subject"]

[columns]
scim_source = "varchar: the identity provider: the source of a SCIM endpoint, or a directory"
difference  = "varchar: only_in_scim, only_in_sisense, several_accounts, status, email, group_only_in_scim, group_only_in_sisense, no_role or lowest_role"
source      = "varchar: the source of the account, or of the endpoint if there is no account"
scim_id     = "varchar: the user's id at the provider; empty if there is no user"
account_id  = "varchar: the account; empty if there is none"
subject     = "varchar: the user, account or group that differs"
scim_value  = "varchar: the value at the provider"
rest_value  = "varchar: the value in Sisense"
*/
with

endpoints as (
    select source as scim_source, bool_or(is_directory) as is_directory from graph.provider_users group by source
),

account_sources as (
    select distinct source from graph.accounts
),

-- The endpoint of a Sisense is compared with that source; another SCIM server or a directory is compared
-- with all sources that are not read from files.
compared_sources as (
    select distinct endpoints.scim_source, account.source
    from endpoints
    left join account_sources as own on own.source = endpoints.scim_source
    join account_sources as account on account.source = own.source or own.source is null
    left join graph.sources as source on source.source = account.source
    where not coalesce(source.is_from_files, false)
),

linked_accounts as (
    select
        link.scim_source, link.scim_id, link.source, link.account_id,
        scim.user_name as scim_user_name, scim.email as scim_email, scim.email_key as scim_email_key, scim.is_active,
        coalesce(list_contains(account.unreadable_fields, 'groups'), false) as has_unreadable_groups,
        account.display_name, account.email, account.email_key, account.status, account.role_id, account.user_name,
        count(*) over (partition by link.scim_source, link.scim_id, link.source) as account_count
    from graph.scim_links as link
    join graph.provider_users as scim on scim.source = link.scim_source and scim.user_id = link.scim_id
    join graph.accounts as account on account.source = link.source and account.account_id = link.account_id
),

single_links as (
    select * from linked_accounts where account_count = 1
),

provider_members as (
    select source as scim_source, group_name, scim_id from staging.scim_members
    union all
    select member.source, held.group_name, member.user_id
    from staging.directory_members as member
    join staging.directory_groups as held on held.source = member.source and held.group_id = member.group_id
),

-- Only groups that the provider pushes are compared. Built-in groups exist in every instance and are never pushed.
-- A directory does not say which of its groups it pushes: those with the name of a group in Sisense count.
pushed_groups as (
    select distinct compared.scim_source, compared.source, lower(pushed.group_name) as group_name
    from staging.scim_groups as pushed
    join compared_sources as compared on compared.scim_source = pushed.source
    anti join reference.builtin_groups as builtin on lower(builtin.group_name) = lower(pushed.group_name)
    union
    select distinct compared.scim_source, compared.source, lower(pushed.group_name)
    from staging.directory_groups as pushed
    join compared_sources as compared on compared.scim_source = pushed.source
    join graph.groups as held
        on held.source = compared.source and lower(held.group_name) = lower(pushed.group_name) and not held.is_builtin
    anti join reference.builtin_groups as builtin on lower(builtin.group_name) = lower(pushed.group_name)
),

scim_memberships as (
    select distinct
        single.scim_source, single.source, single.scim_id, single.account_id, member.group_name,
        single.has_unreadable_groups
    from single_links as single
    join provider_members as member
        on member.scim_source = single.scim_source and member.scim_id = single.scim_id
    join pushed_groups as pushed
        on pushed.scim_source = member.scim_source and pushed.source = single.source
        and pushed.group_name = lower(member.group_name)
),

rest_memberships as (
    select distinct single.scim_source, single.source, single.scim_id, single.account_id, held.group_name
    from single_links as single
    join graph.memberships as membership
        on membership.source = single.source and membership.account_id = single.account_id
    join graph.groups as held on held.source = membership.source and held.group_id = membership.group_id
    join pushed_groups as pushed
        on pushed.scim_source = single.scim_source and pushed.source = single.source
        and pushed.group_name = lower(held.group_name)
    where not held.is_builtin
),

lowest_ranks as (
    select source, min(role_rank) as role_rank from graph.roles group by source
),

differences as (
    select
        scim.source as scim_source, 'only_in_scim' as difference, scim.source, scim.user_id as scim_id, '' as account_id,
        coalesce(scim.user_name, scim.email, scim.user_id) as subject,
        case when scim.is_active then 'active' when not scim.is_active then 'inactive' else 'unknown' end as scim_value,
        cast(null as varchar) as rest_value
    from graph.provider_users as scim
    anti join graph.scim_links as link on link.scim_source = scim.source and link.scim_id = scim.user_id
    -- A directory holds many people who need no account.
    where not scim.is_directory or scim.is_assigned
    union all
    select
        compared.scim_source, 'only_in_sisense', account.source, '', account.account_id, account.display_name, null,
        account.status
    from compared_sources as compared
    join graph.accounts as account on account.source = compared.source
    anti join graph.scim_links as link
        on link.scim_source = compared.scim_source and link.source = account.source
        and link.account_id = account.account_id
    union all
    select
        scim_source, 'several_accounts', source, scim_id, account_id, display_name, scim_user_name, user_name
    from linked_accounts
    where account_count > 1
    union all
    select
        scim_source, 'status', source, scim_id, account_id, display_name,
        case when is_active then 'active' else 'inactive' end, status
    from single_links
    -- An unknown status on either side does not count as a difference.
    where (is_active and status = 'inactive') or (not is_active and status = 'active')
        -- A pending account is inactive in the SCIM of its own Sisense, but inactive in a directory means a leaver.
        or (not is_active and status = 'pending' and scim_source <> source)
    union all
    select scim_source, 'email', source, scim_id, account_id, display_name, scim_email, email
    from single_links
    where scim_email_key <> email_key
    union all
    select scim.scim_source, 'group_only_in_scim', scim.source, scim.scim_id, scim.account_id, scim.group_name, 'member', null
    from scim_memberships as scim
    anti join rest_memberships as rest
        on rest.scim_source = scim.scim_source and rest.source = scim.source and rest.account_id = scim.account_id
        and lower(rest.group_name) = lower(scim.group_name)
    where not scim.has_unreadable_groups
    union all
    select rest.scim_source, 'group_only_in_sisense', rest.source, rest.scim_id, rest.account_id, rest.group_name, null, 'member'
    from rest_memberships as rest
    anti join scim_memberships as scim
        on scim.scim_source = rest.scim_source and scim.source = rest.source and scim.account_id = rest.account_id
        and lower(scim.group_name) = lower(rest.group_name)
    union all
    select
        single.scim_source, case when role.role_id is null then 'no_role' else 'lowest_role' end, single.source,
        single.scim_id, single.account_id, single.display_name, null,
        coalesce(role.role_display_name, single.role_id)
    from single_links as single
    left join graph.roles as role on role.source = single.source and role.role_id = single.role_id
    left join lowest_ranks as lowest on lowest.source = single.source
    -- Sisense gives the lowest role by default, so it may be intended: it is not reported as no_role.
    where single.is_active and single.status = 'active'
        and (role.role_id is null or role.role_rank = lowest.role_rank)
)

select scim_source, difference, source, scim_id, account_id, subject, scim_value, rest_value
from differences
-- Two pushed groups may share a name.
qualify row_number() over (
    partition by scim_source, difference, source, scim_id, account_id, subject order by scim_value, rest_value
) = 1

/* example
name = "each difference is one row; values that agree are not"
given."graph.provider_users" = [
  { source = "s", user_id = "same", is_directory = false, user_name = "same", email = "SAME@x", email_key = "same@x", is_active = true },
  { source = "s", user_id = "gone", is_directory = false, user_name = "gone", is_active = true },
  { source = "s", user_id = "off", is_directory = false, user_name = "off", is_active = false },
  { source = "s", user_id = "invited", is_directory = false, user_name = "invited", is_active = false },
  { source = "s", user_id = "moved", is_directory = false, user_name = "moved", email = "new@x", email_key = "new@x" },
  { source = "s", user_id = "bare", is_directory = false, user_name = "bare", is_active = true },
  { source = "s", user_id = "low", is_directory = false, user_name = "low", is_active = true },
]
given."staging.scim_groups" = [
  { source = "s", scim_group_id = "g", group_name = "Ops" }, { source = "s", scim_group_id = "e", group_name = "Empty" },
  { source = "s", scim_group_id = "all", group_name = "Everyone" },
]
given."staging.scim_members" = [
  { source = "s", scim_group_id = "g", group_name = "Ops", scim_id = "moved" },
  { source = "s", scim_group_id = "all", group_name = "Everyone", scim_id = "moved" },
]
given."reference.builtin_groups" = [ { group_name = "Everyone", is_everyone = true } ]
given."graph.scim_links" = [
  { scim_source = "s", scim_id = "same", source = "s", account_id = "same" },
  { scim_source = "s", scim_id = "off", source = "s", account_id = "off" },
  { scim_source = "s", scim_id = "invited", source = "s", account_id = "invited" },
  { scim_source = "s", scim_id = "moved", source = "s", account_id = "moved" },
  { scim_source = "s", scim_id = "bare", source = "s", account_id = "bare" },
  { scim_source = "s", scim_id = "low", source = "s", account_id = "low" },
]
given."graph.accounts" = [
  { source = "s", account_id = "same", display_name = "same", email = "same@x", email_key = "same@x", status = "active", role_id = "r" },
  { source = "s", account_id = "off", display_name = "off", status = "active", role_id = "r" },
  { source = "s", account_id = "invited", display_name = "invited", status = "pending", role_id = "r" },
  { source = "s", account_id = "moved", display_name = "moved", email = "old@x", email_key = "old@x", status = "active", role_id = "r" },
  { source = "s", account_id = "bare", display_name = "bare", status = "active" },
  { source = "s", account_id = "low", display_name = "low", status = "active", role_id = "low" },
  { source = "s", account_id = "local", display_name = "local", status = "active", role_id = "r" },
]
given."graph.roles" = [ 
  { source = "s", role_id = "r", role_rank = 30, role_display_name = "Designer" },
  { source = "s", role_id = "low", role_rank = 10, role_display_name = "Viewer" },
 ]
given."graph.groups" = [
  { source = "s", group_id = "g", group_name = "Ops", is_builtin = false },
  { source = "s", group_id = "own", group_name = "Own", is_builtin = false },
  { source = "s", group_id = "empty", group_name = "EMPTY", is_builtin = false },
]
given."graph.memberships" = [
  { source = "s", account_id = "same", group_id = "g" },
  { source = "s", account_id = "off", group_id = "own" }, { source = "s", account_id = "same", group_id = "empty" },
]
expect = [
  { difference = "only_in_scim", scim_id = "gone", account_id = "" },
  { difference = "only_in_sisense", scim_id = "", account_id = "local" },
  { difference = "status", account_id = "off", scim_value = "inactive", rest_value = "active" },
  { difference = "email", account_id = "moved", scim_value = "new@x", rest_value = "old@x" },
  { difference = "group_only_in_scim", account_id = "moved", subject = "Ops" },
  { difference = "group_only_in_sisense", account_id = "same", subject = "Ops" },
  { difference = "group_only_in_sisense", account_id = "same", subject = "EMPTY" },
  { difference = "no_role", account_id = "bare" },
  { difference = "lowest_role", account_id = "low", rest_value = "Viewer" },
]
*/
/* example
name = "a pending account of a user who is inactive in a directory is a difference"
given."graph.provider_users" = [ { source = "idp", user_id = "left", is_directory = false, user_name = "left", is_active = false } ]
given."graph.scim_links" = [ { scim_source = "idp", scim_id = "left", source = "s", account_id = "invited" } ]
given."graph.accounts" = [
  { source = "s", account_id = "invited", display_name = "invited", status = "pending", role_id = "r" },
]
given."graph.roles" = [ { source = "s", role_id = "r", role_rank = 30 } ]
expect = [ { difference = "status", account_id = "invited", scim_value = "inactive", rest_value = "pending" } ]
*/
/* example
name = "of a directory, only assigned users without an account and groups of the same name are differences"
given."graph.provider_users" = [
  { source = "d", user_id = "1", user_name = "ann", email_key = "ann@x", is_active = true, is_directory = true, is_assigned = true },
  { source = "d", user_id = "2", user_name = "bo", is_active = true, is_directory = true, is_assigned = true },
  { source = "d", user_id = "3", user_name = "cy", is_active = true, is_directory = true, is_assigned = false },
]
given."staging.directory_groups" = [ { source = "d", group_id = "g", group_name = "ops" }, { source = "d", group_id = "h", group_name = "Chess club" } ]
given."staging.directory_members" = [ { source = "d", group_id = "g", user_id = "1" }, { source = "d", group_id = "h", user_id = "1" } ]
given."graph.scim_links" = [ { scim_source = "d", scim_id = "1", source = "s", account_id = "a" } ]
given."graph.accounts" = [ { source = "s", account_id = "a", display_name = "Ann", email_key = "ann@x", status = "active", role_id = "r" } ]
given."graph.roles" = [ { source = "s", role_id = "r", role_rank = 30 }, { source = "s", role_id = "low", role_rank = 10 } ]
given."graph.groups" = [ { source = "s", group_id = "x", group_name = "Ops", is_builtin = false } ]
expect = [
  { difference = "only_in_scim", scim_id = "2", subject = "bo" }, { difference = "group_only_in_scim", account_id = "a", subject = "ops" },
]
*/
