/*
summary = "One policy list that was used, with the number of lines that are the organization's own."
reads   = [
    "policy.email_domains", "policy.roles", "policy.privileged_groups", "policy.service_accounts", "policy.break_glass",
    "policy.sod_pairs", "policy.exceptions", "policy.out_of_scope", "policy.owners", "policy.objects", "policy.roster",
]
grain   = ["position"]

[columns]
position = "integer: place in the list"
name     = "varchar: the file or setting"
meaning  = "varchar: what the list contains"
own      = "bigint: lines of the organization's own"
defaults = "bigint: lines that ship with the program"
*/
with

lines as (
    select 1 as position, false as is_default from policy.email_domains
    union all
    select 2, false from policy.roster
    union all
    select 3, is_default from policy.roles
    union all
    select 4, is_default from policy.privileged_groups
    union all
    select 5, is_default from policy.service_accounts
    union all
    select 6, is_default from policy.break_glass
    union all
    select 7, is_default from policy.sod_pairs
    union all
    select 8, is_default from policy.owners
    union all
    select 9, is_default from policy.out_of_scope
    union all
    select 10, is_default from policy.exceptions
    union all
    select 11, is_default from policy.objects
),

lists as (
    select * from (values
        (1, 'email_domains', 'domains of the organization; every other one is external'),
        (2, 'roster', 'the people, and who has left'),
        (3, 'roles.csv', 'rank of each role, and which are privileged'),
        (4, 'privileged_groups.csv', 'groups that count as privileged'),
        (5, 'service_accounts.csv', 'registered service accounts with their owners'),
        (6, 'break_glass.csv', 'registered emergency accounts'),
        (7, 'sod_pairs.csv', 'pairs that one person must not hold together'),
        (8, 'owners.csv', 'who reviews a role or a group'),
        (9, 'out_of_scope.csv', 'accounts left out of the review'),
        (10, 'exceptions.csv', 'risks that were accepted'),
        (11, 'objects.csv', 'labels of sensitive dashboards, data models and folders')
    ) as list(position, name, meaning)
)

select
    cast(lists.position as integer) as position,
    lists.name,
    lists.meaning,
    count(lines.position) filter (where not lines.is_default) as own,
    count(lines.position) filter (where lines.is_default) as defaults
from lists
left join lines on lines.position = lists.position
group by lists.position, lists.name, lists.meaning

/* example
name = "a missing list is a row with zero lines"
given."policy.roles" = [
  { role_name = "viewer", rank = 10, privileged = false, is_default = true },
  { role_name = "boss", rank = 95, privileged = true, line = 2, is_default = false },
]
given."policy.objects" = [ { object = "Salaries", sensitivity = "secret", line = 2, is_default = false } ]
expect = [
  { position = 1, own = 0, defaults = 0 }, { position = 2, own = 0 }, { position = 3, own = 1, defaults = 1 },
  { position = 4, own = 0 }, { position = 5, own = 0 }, { position = 6, own = 0 }, { position = 7, own = 0 },
  { position = 8, own = 0 }, { position = 9, own = 0 }, { position = 10, own = 0 },
  { position = 11, name = "objects.csv", own = 1, defaults = 0 },
]
*/
