/*
summary = "One account and the peer groups that it could be compared with, closest first."
reads   = ["graph.accounts", "graph.people", "graph.groups", "graph.memberships"]
grain   = ["source", "account_id"]

[columns]
source           = "varchar: the source's name in the configuration"
account_id       = "varchar: the account"
profile_id       = "bigint: number of the profile: accounts with the same one have all of the following in common"
is_peer          = "boolean: the account counts as a peer of others: it is active and human"
has_peers_by_role = "boolean: its role is compared with the roles of peers; false for service and emergency accounts and the program's own"
title_group      = "varchar: same department and title"
department_group = "varchar: same department"
manager_group    = "varchar: same manager"
domain_group     = "varchar: same e-mail domain and same largest group; built-in groups are ignored"
source_group     = "varchar: all active accounts of people in the source"
*/
with

-- Groups of equal size are ordered by id, so that every build chooses the same one.
ranked_groups as (
    select
        source, group_id,
        row_number() over (partition by source order by member_count desc, group_id) as place,
        -- The label appears in reports, so the id is added only if two groups share a name.
        case
            when group_name is null then group_id
            when count(*) over (partition by source, group_name) > 1 then group_name || ' (' || group_id || ')'
            else group_name
        end as label
    from graph.groups
    where not is_builtin
),

largest_groups as (
    select membership.source, membership.account_id, min(ranked_groups.place) as place
    from graph.memberships as membership
    join ranked_groups on ranked_groups.source = membership.source and ranked_groups.group_id = membership.group_id
    group by membership.source, membership.account_id
),

accounts_with_groups as (
    select
        account.source,
        account.account_id,
        account.status = 'active' and account.account_type = 'human' as is_peer,
        account.account_type not in ('service', 'break_glass') and not account.is_own as has_peers_by_role,
        coalesce('department ' || person.department || ', title ' || person.title, '') as title_group,
        coalesce('department ' || person.department, '') as department_group,
        coalesce('manager ' || person.manager_key, '') as manager_group,
        coalesce('domain ' || account.email_domain || ', largest group ' || ranked_groups.label, '') as domain_group
    from graph.accounts as account
    left join graph.people as person on person.person_id = account.person_id
    left join largest_groups as largest on largest.source = account.source and largest.account_id = account.account_id
    left join ranked_groups on ranked_groups.source = largest.source and ranked_groups.place = largest.place
),

-- There are far fewer profiles than accounts, and whatever is counted about peers is counted once a profile.
profiles as (
    select
        *,
        row_number() over (order by title_group, department_group, manager_group, domain_group, is_peer, has_peers_by_role, source)
            as profile_id
    from (
        select distinct source, is_peer, has_peers_by_role, title_group, department_group, manager_group, domain_group
        from accounts_with_groups
    ) as distinct_profiles
)

select
    account.source,
    account.account_id,
    profiles.profile_id,
    account.is_peer,
    account.has_peers_by_role,
    nullif(account.title_group, '') as title_group,
    nullif(account.department_group, '') as department_group,
    nullif(account.manager_group, '') as manager_group,
    nullif(account.domain_group, '') as domain_group,
    'all active accounts of people' as source_group
from accounts_with_groups as account
join profiles
    on profiles.source = account.source and profiles.title_group = account.title_group
    and profiles.department_group = account.department_group and profiles.manager_group = account.manager_group
    and profiles.domain_group = account.domain_group and profiles.is_peer = account.is_peer
    and profiles.has_peers_by_role = account.has_peers_by_role

/* example
name = "missing data makes no peer group; built-in groups are never the largest; of equal groups the lowest id wins"
given."graph.people" = [ { person_id = "p", department = "Sales", title = "Seller", manager_key = "boss@example.com" } ]
given."graph.groups" = [
  { source = "s", group_id = "all", is_builtin = true, member_count = 9 },
  { source = "s", group_id = "b", is_builtin = false, member_count = 2 },
  { source = "s", group_id = "a", group_name = "Sales", is_builtin = false, member_count = 2 },
]
given."graph.memberships" = [
  { source = "s", account_id = "1", group_id = "all" }, { source = "s", account_id = "1", group_id = "b" },
  { source = "s", account_id = "1", group_id = "a" },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", account_type = "human", is_own = false, person_id = "p", email_domain = "example.com" },
  { source = "s", account_id = "2", status = "inactive", account_type = "human", is_own = true, email_domain = "example.com" },
  { source = "s", account_id = "3", status = "active", account_type = "service", is_own = false },
]
expect = [
  { account_id = "1", is_peer = true, has_peers_by_role = true, title_group = "department Sales, title Seller", department_group = "department Sales", manager_group = "manager boss@example.com", domain_group = "domain example.com, largest group Sales" },
  { account_id = "2", is_peer = false, has_peers_by_role = false, title_group = "<null>", department_group = "<null>", manager_group = "<null>", domain_group = "<null>" },
  { account_id = "3", is_peer = false, has_peers_by_role = false, title_group = "<null>", department_group = "<null>", manager_group = "<null>", domain_group = "<null>" },
]
*/
/* example
name = "two groups with the same name are different peer groups"
given."graph.groups" = [
  { source = "s", group_id = "a", group_name = "Sales", is_builtin = false, member_count = 2 },
  { source = "s", group_id = "b", group_name = "Sales", is_builtin = false, member_count = 2 },
]
given."graph.memberships" = [ { source = "s", account_id = "1", group_id = "a" }, { source = "s", account_id = "2", group_id = "b" } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", account_type = "human", is_own = false, email_domain = "x.test" },
  { source = "s", account_id = "2", status = "active", account_type = "human", is_own = false, email_domain = "x.test" },
]
expect = [
  { account_id = "1", domain_group = "domain x.test, largest group Sales (a)" },
  { account_id = "2", domain_group = "domain x.test, largest group Sales (b)" },
]
*/
/* example
name = "accounts share a profile if everything they are compared by is the same, missing data too"
given."graph.people" = [ { person_id = "p", department = "Sales", title = "Seller" }, { person_id = "q", department = "Sales", title = "Buyer" } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", account_type = "human", is_own = false, person_id = "p" },
  { source = "s", account_id = "2", status = "active", account_type = "human", is_own = false, person_id = "p" },
  { source = "s", account_id = "3", status = "inactive", account_type = "human", is_own = false, person_id = "p" },
  { source = "s", account_id = "4", status = "active", account_type = "human", is_own = false, person_id = "q" },
  { source = "s", account_id = "5", status = "active", account_type = "human", is_own = false },
  { source = "t", account_id = "5", status = "active", account_type = "human", is_own = false },
]
expect = [
  { source = "s", account_id = "5", profile_id = 1 }, { source = "t", account_id = "5", profile_id = 2 },
  { source = "s", account_id = "4", profile_id = 3 }, { source = "s", account_id = "3", profile_id = 4 },
  { source = "s", account_id = "1", profile_id = 5 }, { source = "s", account_id = "2", profile_id = 5 },
]
*/
