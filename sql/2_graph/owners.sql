/*
summary = "Who is responsible for one account, person, group, role, dashboard, data model or folder. People are not responsible for themselves, and those who have left for nothing."
reads   = [
    "graph.accounts", "graph.groups", "graph.objects", "graph.people", "graph.registrations", "graph.roles",
    "policy.owners",
]
grain   = ["source", "subject_type", "object_type", "subject_id"]

[columns]
source       = "varchar: the source's name in the configuration; empty for a person"
subject_type = "varchar: account, person, group, role or object (a dashboard, data model or folder)"
object_type  = "varchar: of an object: dashboard, model or folder; else empty"
subject_id   = "varchar: id of the subject"
owner_email  = "varchar: e-mail address of the person responsible, in lower case"
basis        = "varchar: where the address comes from: registered (service_accounts.csv or break_glass.csv), manager, policy (owners.csv or objects.csv) or owner (of the object)"
*/
with

-- The most specific first: place 1 counts before place 2. The subject is account, person, group or role, or else the
-- type of an object: a column that is empty for nearly all rows is a key for which Sail's memory grows much faster than the rows.
candidates as (
    select
        source, 'account' as subject, account_id as subject_id, null as own_person_id,
        lower(owner_email) as address, 'registered' as basis, 1 as place
    from graph.registrations
    where owner_email is not null
    union all
    select accounts.source, 'account', accounts.account_id, people.person_id, people.manager_key, 'manager', 2
    from graph.accounts as accounts
    join graph.people as people on people.person_id = accounts.person_id
    union all
    select '', 'person', person_id, person_id, manager_key, 'manager', 2 from graph.people
    union all
    select groups.source, 'group', groups.group_id, null, lower(owners.reviewer_email), 'policy', 1
    from graph.groups as groups
    join policy.owners as owners
        on owners.entitlement_type in (
            coalesce(groups.entitlement_type, 'group'), groups.source || ':' || coalesce(groups.entitlement_type, 'group')
        )
        and lower(owners.entitlement_name) in (lower(groups.group_name), lower(groups.group_id))
    union all
    select roles.source, 'role', roles.role_id, null, lower(owners.reviewer_email), 'policy', 1
    from graph.roles as roles
    join policy.owners as owners on owners.entitlement_type in ('role', roles.source || ':role')
        and lower(owners.entitlement_name) in (lower(roles.role_name), lower(roles.role_display_name), lower(roles.role_id))
    union all
    select source, object_type, object_id, null, lower(label_owner_email), 'policy', 1
    from graph.objects
    union all
    select objects.source, objects.object_type, objects.object_id, null, accounts.email_key, 'owner', 2
    from graph.objects as objects
    join graph.accounts as accounts on accounts.source = objects.source and accounts.account_id = objects.owner_id
    where accounts.status in ('active', 'unknown')
),

used_addresses as (
    select distinct address from candidates
),

listed_addresses as (
    select person_id, email_key as address from graph.people where email_key is not null
    union all
    select person_id, unnest(alias_keys) from graph.people
),

person_addresses as (
    select distinct listed.person_id, listed.address
    from listed_addresses as listed
    semi join used_addresses as used on used.address = listed.address
),

-- An address that several people have belongs to none of them.
people_by_address as (
    select
        addresses.address, min(people.person_id) as person_id, min(people.email_key) as email,
        bool_or(people.employment_status = 'ended' or people.end_date <= cast($as_of as date)) as has_left
    from person_addresses as addresses
    join graph.people as people on people.person_id = addresses.person_id
    group by addresses.address
    having count(*) = 1
),

eligible_candidates as (
    select
        candidates.source, candidates.subject, candidates.subject_id, candidates.basis,
        candidates.place, coalesce(owner.email, candidates.address) as owner_email
    from candidates
    left join people_by_address as owner on owner.address = candidates.address
    where
        candidates.address is not null and not coalesce(owner.has_left, false)
        and (candidates.own_person_id is null or owner.person_id is distinct from candidates.own_person_id)
)

-- Places have one digit, so the lowest text has the lowest place and, of equal places, the first address. Within a type
-- of subject each place has one basis.
select
    source,
    case when subject in ('account', 'person', 'group', 'role') then subject else 'object' end as subject_type,
    case when subject in ('account', 'person', 'group', 'role') then '' else subject end as object_type,
    subject_id,
    substr(min(place || owner_email), 2) as owner_email,
    arg_min(basis, place) as basis
from eligible_candidates
group by source, subject, subject_id

/* example
name = "a register counts before the manager; own managers, managers who have left and people who have none give no owner"
as_of = 2026-04-01T00:00:00Z
given."graph.people" = [
  { person_id = "p", email_key = "ann@example.com", manager_key = "b.old@example.com" },
  { person_id = "b", email_key = "bob@example.com", alias_keys = ["b.old@example.com"], manager_key = "bob@example.com" },
  { person_id = "l", email_key = "leaver@example.com", end_date = 2026-04-01, manager_key = "bob@example.com" },
  { person_id = "q", email_key = "quin@example.com", manager_key = "leaver@example.com" },
]
given."graph.accounts" = [
  { source = "s", account_id = "ann", person_id = "p", status = "active" },
  { source = "s", account_id = "svc", person_id = "p", status = "active" },
  { source = "s", account_id = "nobody", status = "active" },
]
given."graph.registrations" = [
  { source = "s", account_id = "svc", policy = "service_accounts", owner_email = "Ops@Example.com" },
  { source = "s", account_id = "nobody", policy = "break_glass", owner_email = "leaver@example.com" },
]
expect = [
  { source = "s", subject_type = "account", subject_id = "ann", owner_email = "bob@example.com", basis = "manager" },
  { source = "s", subject_type = "account", subject_id = "svc", owner_email = "ops@example.com", basis = "registered" },
  { source = "", subject_type = "person", subject_id = "p", owner_email = "bob@example.com", basis = "manager" },
  { source = "", subject_type = "person", subject_id = "l", owner_email = "bob@example.com", basis = "manager" },
]
*/
/* example
name = "owners.csv names the owners of roles and groups by name or id; objects.csv counts before the owner of an object, who must have an account in use"
given."policy.owners" = [
  { entitlement_type = "group", entitlement_name = "OPS", reviewer_email = "ops@example.com" },
  { entitlement_type = "role", entitlement_name = "r", reviewer_email = "role@example.com" },
  { entitlement_type = "group", entitlement_name = "r", reviewer_email = "no@example.com" },
]
given."graph.groups" = [ { source = "s", group_id = "g", group_name = "Ops" }, { source = "s", group_id = "h", group_name = "HR" } ]
given."graph.roles" = [ { source = "s", role_id = "r", role_name = "consumer", role_display_name = "Viewer" } ]
given."graph.accounts" = [
  { source = "s", account_id = "a", email_key = "a@example.com", status = "active" },
  { source = "s", account_id = "off", email_key = "off@example.com", status = "inactive" },
]
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "d", owner_id = "a", label_owner_email = "data@example.com" },
  { source = "s", object_type = "model", object_id = "d", owner_id = "a" },
  { source = "s", object_type = "model", object_id = "m", owner_id = "off" },
]
expect = [
  { subject_type = "group", subject_id = "g", owner_email = "ops@example.com", basis = "policy" },
  { subject_type = "role", subject_id = "r", owner_email = "role@example.com", basis = "policy" },
  { subject_type = "object", object_type = "dashboard", subject_id = "d", owner_email = "data@example.com", basis = "policy" },
  { subject_type = "object", object_type = "model", subject_id = "d", owner_email = "a@example.com", basis = "owner" },
]
*/
