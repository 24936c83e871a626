/*
title       = "Segregation of duties conflict"
summary     = "A person who holds both sides of a pair that the policy keeps apart, across all accounts that are or may be active."
severity    = "high"
population  = """
select person.person_id, pair.left_type, pair.left_name, pair.right_type, pair.right_name
from policy.sod_pairs as pair
cross join (
    select person_id from graph.people
    union all
    select 'account ' || source || ':' || account_id from graph.accounts
    where person_id is null and status in ('active', 'unknown')
) as person
"""
reads       = [
    "graph.people", "graph.accounts", "graph.effective_access", "graph.groups", "graph.memberships", "graph.role_names",
    "graph.roles", "graph.sources", "policy.sod_pairs",
]
grain       = ["person_id", "left_type", "left_name", "right_type", "right_name"]
needs       = "roster"
remediation = "Remove one side. If both are needed, record who checks the person's work and have the exception approved."

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.5.3"]
nist     = ["AC-5"]

[effects.risk]
factor     = "conflict"
likelihood = 3
*/
with

pairs as (
    select left_type, left_name, right_type, right_name, reason from policy.sod_pairs
),

names as (
    select left_type as entitlement_type, lower(left_name) as name from pairs
    union
    select right_type, lower(right_name) from pairs
),

-- Policy and source may use either name of a role: the API's or the displayed one.
entitlement_names as (
    select source, entitlement_type, entitlement_id, lower(entitlement_name) as name
    from graph.effective_access
    where entitlement_name is not null
    union
    select source, 'role', role_id, name from graph.role_names
),

-- A pair may name the application too, before the type or before the name: hr_app:role, or hr_app:Payroll clerk. With
-- the latter, what is neither role nor group there may be called either.
policy_entitlements as (
    select distinct
        named.source, named.entitlement_type, named.entitlement_id, names.entitlement_type as policy_type, names.name
    from entitlement_names as named
    join names
        on names.name = named.name
        and names.entitlement_type in (named.entitlement_type, named.source || ':' || named.entitlement_type)
        or names.name = named.source || ':' || named.name
        and (names.entitlement_type = named.entitlement_type or named.entitlement_type not in ('role', 'group'))
),

held_access as (
    select distinct
        access.person_id, wanted.policy_type, wanted.name, access.source, access.account_id, access.entitlement_type,
        access.entitlement_id
    from graph.effective_access as access
    join policy_entitlements as wanted
        on wanted.source = access.source and wanted.entitlement_type = access.entitlement_type
        and wanted.entitlement_id = access.entitlement_id
    where access.person_id is not null and access.status in ('active', 'unknown')
),

held_names as (
    select distinct person_id, policy_type as entitlement_type, name from held_access
),

-- Accounts whose roles or groups are unreadable: their person may hold either side.
owned_accounts as (
    select source, account_id, person_id, role_id, unreadable_fields
    from graph.accounts
    where person_id is not null and status in ('active', 'unknown')
),

unreadable_accounts as (
    select person_id, source, 'group' as entitlement_type from owned_accounts where list_contains(unreadable_fields, 'groups')
    union
    select person_id, source, 'role' from owned_accounts where list_contains(unreadable_fields, 'roleId')
    union
    select account.person_id, account.source, 'role'
    from owned_accounts as account
    join graph.roles as role on role.source = account.source and role.role_id = account.role_id
    where role.role_name is null and role.role_display_name is null
    union
    select account.person_id, account.source, 'group'
    from owned_accounts as account
    join graph.memberships as membership
        on membership.source = account.source and membership.account_id = account.account_id
    join graph.groups as nameless
        on nameless.source = membership.source and nameless.group_id = membership.group_id
    where nameless.group_name is null
),

-- If accounts do not list their groups, any person may be in a group with unreadable members.
unreadable_groups as (
    select hidden.source, lower(hidden.group_name) as name
    from graph.groups as hidden
    join graph.sources as source on source.source = hidden.source
    where hidden.has_unreadable_members and not source.gives_user_groups
),

possible_access as (
    select person_id, entitlement_type, name from held_names
    union
    select unreadable.person_id, names.entitlement_type, names.name
    from unreadable_accounts as unreadable
    join names
        on names.entitlement_type in (unreadable.entitlement_type, unreadable.source || ':' || unreadable.entitlement_type)
    union
    select account.person_id, names.entitlement_type, names.name
    from owned_accounts as account
    join unreadable_groups as hidden on hidden.source = account.source
    join names
        on names.entitlement_type in ('group', account.source || ':group')
        and names.name = coalesce(hidden.name, names.name)
),

possible_conflicts as (
    select
        left_side.person_id, pairs.left_type, pairs.left_name, pairs.right_type, pairs.right_name,
        left_held.person_id is not null and right_held.person_id is not null as is_certain
    from pairs
    join possible_access as left_side
        on left_side.entitlement_type = pairs.left_type and left_side.name = lower(pairs.left_name)
    join possible_access as right_side
        on right_side.entitlement_type = pairs.right_type and right_side.name = lower(pairs.right_name)
        and right_side.person_id = left_side.person_id
    left join held_names as left_held
        on left_held.person_id = left_side.person_id and left_held.entitlement_type = left_side.entitlement_type
        and left_held.name = left_side.name
    left join held_names as right_held
        on right_held.person_id = right_side.person_id and right_held.entitlement_type = right_side.entitlement_type
        and right_held.name = right_side.name
),

-- The access that makes up each side of a pair, for reviewers to see.
sides as (
    select pairs.left_type, pairs.left_name, pairs.right_type, pairs.right_name, 'left' as side, held_access.*
    from pairs
    join held_access
        on held_access.policy_type = pairs.left_type and held_access.name = lower(pairs.left_name)
    union all
    select pairs.left_type, pairs.left_name, pairs.right_type, pairs.right_name, 'right' as side, held_access.*
    from pairs
    join held_access
        on held_access.policy_type = pairs.right_type and held_access.name = lower(pairs.right_name)
),

evidence as (
    select
        person_id, left_type, left_name, right_type, right_name,
        list({
            'side': side, 'source': source, 'account_id': account_id, 'entitlement_type': entitlement_type,
            'entitlement_id': entitlement_id
        } order by side, source, account_id, entitlement_id) as access
    from sides
    group by person_id, left_type, left_name, right_type, right_name
)

select
    left_side.person_id,
    pairs.left_type,
    pairs.left_name,
    pairs.right_type,
    pairs.right_name,
    'failed' as verdict,
    'Holds ' || pairs.left_type || ' ' || pairs.left_name || ' and ' || pairs.right_type || ' ' || pairs.right_name
        || coalesce(': ' || pairs.reason, '') || '.' as detail,
    pairs.left_name || ' and ' || pairs.right_name as observed_value,
    'one of the two' as threshold,
    cast({'access': evidence.access} as json) as evidence
from pairs
join held_names as left_side
    on left_side.entitlement_type = pairs.left_type and left_side.name = lower(pairs.left_name)
join held_names as right_side
    on right_side.entitlement_type = pairs.right_type and right_side.name = lower(pairs.right_name)
    and right_side.person_id = left_side.person_id
join evidence
    on evidence.person_id = left_side.person_id and evidence.left_type = pairs.left_type
    and evidence.left_name = pairs.left_name and evidence.right_type = pairs.right_type
    and evidence.right_name = pairs.right_name
union all
select
    person_id,
    left_type,
    left_name,
    right_type,
    right_name,
    'unknown',
    'The role or groups of one of the person''s accounts are unreadable.',
    null,
    null,
    null
from possible_conflicts
where not is_certain
union all
-- An account without a person may be one half of a conflict.
select
    'account ' || account.source || ':' || account.account_id,
    pairs.left_type,
    pairs.left_name,
    pairs.right_type,
    pairs.right_name,
    'unknown',
    'The account matches no person in the roster.',
    null,
    null,
    null
from graph.accounts as account
cross join pairs
where account.person_id is null and account.status in ('active', 'unknown')

/* example
name = "both sides in one account or across two fail; one side passes; an account without a person is unknown"
given."policy.sod_pairs" = [ { left_type = "role", left_name = "dataAdmin", right_type = "group", right_name = "Payments", is_default = false } ]
given."graph.people" = [ { person_id = "one account" }, { person_id = "two accounts" }, { person_id = "one side" } ]
given."graph.role_names" = [ { source = "s", role_id = "r", name = "dataadmin" }, { source = "t", role_id = "r", name = "dataadmin" } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", person_id = "one account" }, { source = "s", account_id = "2", person_id = "two accounts" },
  { source = "t", account_id = "3", person_id = "two accounts" }, { source = "s", account_id = "4", person_id = "one side" },
  { source = "s", account_id = "5", status = "active" }, { source = "s", account_id = "6", status = "inactive" },
]
given."graph.effective_access" = [
  { source = "s", account_id = "1", status = "active", person_id = "one account", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Data Admin" },
  { source = "s", account_id = "1", status = "active", person_id = "one account", entitlement_type = "group", entitlement_id = "g", entitlement_name = "PAYMENTS" },
  { source = "s", account_id = "2", status = "active", person_id = "two accounts", entitlement_type = "group", entitlement_id = "g", entitlement_name = "Payments" },
  { source = "t", account_id = "3", status = "active", person_id = "two accounts", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Data Admin" },
  { source = "s", account_id = "4", status = "active", person_id = "one side", entitlement_type = "group", entitlement_id = "g", entitlement_name = "Payments" },
  { source = "s", account_id = "5", status = "active", entitlement_type = "group", entitlement_id = "g", entitlement_name = "Payments" },
]
expect = [
  { person_id = "one account", verdict = "failed", evidence = '{"access":[{"side":"left","source":"s","account_id":"1","entitlement_type":"role","entitlement_id":"r"},{"side":"right","source":"s","account_id":"1","entitlement_type":"group","entitlement_id":"g"}]}' }, { person_id = "two accounts", verdict = "failed" },
  { person_id = "account s:5", verdict = "unknown" },
]
population = 4
*/
/* example
name = "an account of unknown status counts; an inactive or pending one does not"
given."policy.sod_pairs" = [ { left_type = "group", left_name = "Payments", right_type = "group", right_name = "Approvals", is_default = false } ]
given."graph.people" = [ { person_id = "perhaps" }, { person_id = "deactivated" }, { person_id = "invited" } ]
given."graph.effective_access" = [
  { source = "s", account_id = "1", status = "unknown", person_id = "perhaps", entitlement_type = "group", entitlement_id = "p", entitlement_name = "Payments" },
  { source = "s", account_id = "2", status = "active", person_id = "perhaps", entitlement_type = "group", entitlement_id = "a", entitlement_name = "Approvals" },
  { source = "s", account_id = "3", status = "inactive", person_id = "deactivated", entitlement_type = "group", entitlement_id = "p", entitlement_name = "Payments" },
  { source = "s", account_id = "4", status = "active", person_id = "deactivated", entitlement_type = "group", entitlement_id = "a", entitlement_name = "Approvals" },
  { source = "s", account_id = "5", status = "pending", person_id = "invited", entitlement_type = "group", entitlement_id = "p", entitlement_name = "Payments" },
  { source = "s", account_id = "6", status = "active", person_id = "invited", entitlement_type = "group", entitlement_id = "a", entitlement_name = "Approvals" },
]
expect = [ { person_id = "perhaps", verdict = "failed" } ]
population = 3
*/

/* example
name = "unreadable access may be the other side, in any account of the person; a side that is certainly not held passes"
given."policy.sod_pairs" = [ { left_type = "role", left_name = "dataAdmin", right_type = "group", right_name = "Payments", is_default = false } ]
given."graph.people" = [
  { person_id = "groups" }, { person_id = "role" }, { person_id = "both" }, { person_id = "two accounts" }, { person_id = "no role" },
  { person_id = "off" }, { person_id = "nameless" }, { person_id = "certain" },
]
given."graph.sources" = [ { source = "s", gives_user_groups = true } ]
given."graph.role_names" = [ { source = "s", role_id = "r", name = "dataadmin" } ]
given."graph.roles" = [ { source = "s", role_id = "r", role_name = "dataAdmin" } ]
given."graph.groups" = [ { source = "s", group_id = "n", has_unreadable_members = false } ]
given."graph.memberships" = [ { source = "s", account_id = "7", group_id = "n" } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", person_id = "groups", role_id = "r", unreadable_fields = ["groups"] },
  { source = "s", account_id = "2", status = "active", person_id = "role", unreadable_fields = ["roleId"] },
  { source = "s", account_id = "3", status = "unknown", person_id = "both", unreadable_fields = ["roleId", "groups"] },
  { source = "s", account_id = "4a", status = "active", person_id = "two accounts", role_id = "r", unreadable_fields = [] },
  { source = "s", account_id = "4b", status = "active", person_id = "two accounts", role_id = "v", unreadable_fields = ["groups"] },
  { source = "s", account_id = "5", status = "active", person_id = "no role", role_id = "v", unreadable_fields = ["groups"] },
  { source = "s", account_id = "6", status = "inactive", person_id = "off", role_id = "r", unreadable_fields = ["groups"] },
  { source = "s", account_id = "7", status = "active", person_id = "nameless", role_id = "r", unreadable_fields = [] },
  { source = "s", account_id = "8", status = "active", person_id = "certain", role_id = "r", unreadable_fields = ["groups"] },
]
given."graph.effective_access" = [
  { source = "s", account_id = "1", status = "active", person_id = "groups", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Data Admin" },
  { source = "s", account_id = "2", status = "active", person_id = "role", entitlement_type = "group", entitlement_id = "g", entitlement_name = "Payments" },
  { source = "s", account_id = "4a", status = "active", person_id = "two accounts", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Data Admin" },
  { source = "s", account_id = "6", status = "inactive", person_id = "off", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Data Admin" },
  { source = "s", account_id = "7", status = "active", person_id = "nameless", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Data Admin" },
  { source = "s", account_id = "8", status = "active", person_id = "certain", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Data Admin" },
  { source = "s", account_id = "8", status = "active", person_id = "certain", entitlement_type = "group", entitlement_id = "g", entitlement_name = "Payments" },
]
expect = [
  { person_id = "groups", verdict = "unknown" },
  { person_id = "role", verdict = "unknown" },
  { person_id = "both", verdict = "unknown" },
  { person_id = "two accounts", verdict = "unknown" },
  { person_id = "nameless", verdict = "unknown" },
  { person_id = "certain", verdict = "failed" },
]
population = 8
*/
/* example
name = "unreadable members of a group may be any person, unless accounts list their groups"
given."policy.sod_pairs" = [ { left_type = "role", left_name = "dataAdmin", right_type = "group", right_name = "Payments", is_default = false } ]
given."graph.people" = [ { person_id = "may be in it" }, { person_id = "says not" } ]
given."graph.sources" = [ { source = "s", gives_user_groups = false }, { source = "t", gives_user_groups = true } ]
given."graph.role_names" = [ { source = "s", role_id = "r", name = "dataadmin" }, { source = "t", role_id = "r", name = "dataadmin" } ]
given."graph.groups" = [
  { source = "s", group_id = "g", group_name = "Payments", has_unreadable_members = true },
  { source = "t", group_id = "g", group_name = "Payments", has_unreadable_members = true },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", person_id = "may be in it", role_id = "r", unreadable_fields = [] },
  { source = "t", account_id = "2", status = "active", person_id = "says not", role_id = "r", unreadable_fields = [] },
]
given."graph.effective_access" = [
  { source = "s", account_id = "1", status = "active", person_id = "may be in it", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Data Admin" },
  { source = "t", account_id = "2", status = "active", person_id = "says not", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Data Admin" },
]
expect = [ { person_id = "may be in it", verdict = "unknown" } ]
population = 2
*/
/* example
name = "a pair may span applications: the application is named before the type or before the name"
given."graph.people" = [ { person_id = "both" }, { person_id = "elsewhere" } ]
given."policy.sod_pairs" = [
  { left_type = "hr_app:role", left_name = "Payroll clerk", right_type = "group", right_name = "prod:Finance" },
]
given."graph.accounts" = [
  { source = "hr_app", account_id = "1", person_id = "both", status = "active" },
  { source = "prod", account_id = "2", person_id = "both", status = "active" },
  { source = "other", account_id = "3", person_id = "elsewhere", status = "active" },
  { source = "prod", account_id = "4", person_id = "elsewhere", status = "active" },
]
given."graph.effective_access" = [
  { source = "hr_app", account_id = "1", person_id = "both", status = "active", entitlement_type = "role", entitlement_id = "c", entitlement_name = "Payroll Clerk" },
  { source = "prod", account_id = "2", person_id = "both", status = "active", entitlement_type = "group", entitlement_id = "f", entitlement_name = "Finance" },
  { source = "other", account_id = "3", person_id = "elsewhere", status = "active", entitlement_type = "role", entitlement_id = "c", entitlement_name = "Payroll clerk" },
  { source = "prod", account_id = "4", person_id = "elsewhere", status = "active", entitlement_type = "group", entitlement_id = "f", entitlement_name = "Finance" },
]
expect = [ { person_id = "both", verdict = "failed" } ]
population = 2
*/
