/*
summary = "One account and the groups of people that it could be compared with, closest first."
reads   = ["graph.accounts", "graph.people", "graph.groups", "graph.memberships"]
grain   = ["source", "account_id"]

[columns]
source           = "varchar: the source's name in the configuration"
account_id       = "varchar: the account"
is_peer          = "boolean: an active human account, with which others are compared"
title_group      = "varchar: same department and title"
department_group = "varchar: same department"
manager_group    = "varchar: same manager"
domain_group     = "varchar: same e-mail domain and same largest group, the built-in ones left out"
source_group     = "varchar: all active accounts of the source"
*/
with

-- The largest group is the one with most members, then the lowest id.
places as (
    select source, group_id, row_number() over (partition by source order by member_count desc, group_id) as place
    from graph.groups
    where not is_builtin
),

largest as (
    select membership.source, membership.account_id, min(places.place) as place
    from graph.memberships as membership
    join places on places.source = membership.source and places.group_id = membership.group_id
    group by membership.source, membership.account_id
)

select
    account.source,
    account.account_id,
    account.status = 'active' and account.account_type = 'human' as is_peer,
    'department ' || person.department || ', title ' || person.title as title_group,
    'department ' || person.department as department_group,
    'manager ' || person.manager_key as manager_group,
    'domain ' || account.email_domain || ', largest group ' || places.group_id as domain_group,
    'all active accounts' as source_group
from graph.accounts as account
left join graph.people as person on person.person_id = account.person_id
left join largest on largest.source = account.source and largest.account_id = account.account_id
left join places on places.source = largest.source and places.place = largest.place

/* example
name = "what is not known makes no group; built-in groups are never the largest; equal sizes go to the lowest id"
given."graph.people" = [ { person_id = "p", department = "Sales", title = "Seller", manager_key = "boss@example.com" } ]
given."graph.groups" = [
  { source = "s", group_id = "all", is_builtin = true, member_count = 9 },
  { source = "s", group_id = "b", is_builtin = false, member_count = 2 },
  { source = "s", group_id = "a", is_builtin = false, member_count = 2 },
]
given."graph.memberships" = [
  { source = "s", account_id = "1", group_id = "all" }, { source = "s", account_id = "1", group_id = "b" },
  { source = "s", account_id = "1", group_id = "a" },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", account_type = "human", person_id = "p", email_domain = "example.com" },
  { source = "s", account_id = "2", status = "inactive", account_type = "human", email_domain = "example.com" },
  { source = "s", account_id = "3", status = "active", account_type = "service" },
]
expect = [
  { account_id = "1", is_peer = true, title_group = "department Sales, title Seller", department_group = "department Sales", manager_group = "manager boss@example.com", domain_group = "domain example.com, largest group a" },
  { account_id = "2", is_peer = false, title_group = "<null>", department_group = "<null>", manager_group = "<null>", domain_group = "<null>" },
  { account_id = "3", is_peer = false, title_group = "<null>", department_group = "<null>", manager_group = "<null>", domain_group = "<null>" },
]
*/
