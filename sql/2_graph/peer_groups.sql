/*
summary = "One account and the peers it is compared with, for its role and for its groups: the closest that are enough."
reads   = ["graph.peer_keys", "reference.rules", "reference.rule_parameters"]
grain   = ["source", "account_id", "entitlement_type"]

[columns]
source           = "varchar: the source's name in the configuration"
account_id       = "varchar: the account"
entitlement_type = "varchar: role or group: what is compared"
peer_group       = "varchar: who the peers are"
is_peer          = "boolean: the account is one of them; it is left out of its own comparison"
peer_count       = "bigint: how many others there are"
has_enough       = "boolean: as many as the rule asks for"
*/
with

-- How many peers are enough is a parameter of the rules that compare roles, and of those that compare groups.
needs as (
    select rules.compares as entitlement_type, max(parameters.value) as min_peers
    from reference.rules as rules
    join reference.rule_parameters as parameters
        on parameters.rule_id = rules.rule_id and parameters.parameter = 'min_peers'
    where rules.compares is not null
    group by rules.compares
),

titles as (
    select source, title_group, count(*) as members from graph.peer_keys
    where is_peer group by source, title_group
),

departments as (
    select source, department_group, count(*) as members from graph.peer_keys
    where is_peer group by source, department_group
),

managers as (
    select source, manager_group, count(*) as members from graph.peer_keys
    where is_peer group by source, manager_group
),

domains as (
    select source, domain_group, count(*) as members from graph.peer_keys
    where is_peer group by source, domain_group
),

sources as (
    select source, count(*) as members from graph.peer_keys where is_peer group by source
),

-- How many others there are in each: the account itself does not count.
counted as (
    select
        keyed.*,
        titles.members - itself.one as title_count,
        departments.members - itself.one as department_count,
        managers.members - itself.one as manager_count,
        domains.members - itself.one as domain_count,
        coalesce(sources.members, 0) - itself.one as source_count
    from graph.peer_keys as keyed
    join (select true as is_peer, 1 as one union all select false, 0) as itself on itself.is_peer = keyed.is_peer
    left join titles on titles.source = keyed.source and titles.title_group = keyed.title_group
    left join departments
        on departments.source = keyed.source and departments.department_group = keyed.department_group
    left join managers on managers.source = keyed.source and managers.manager_group = keyed.manager_group
    left join domains on domains.source = keyed.source and domains.domain_group = keyed.domain_group
    left join sources on sources.source = keyed.source
),

chosen as (
    select
        counted.*, needs.entitlement_type, needs.min_peers,
        case
            when title_count >= min_peers then 1
            when department_count >= min_peers then 2
            when manager_count >= min_peers then 3
            when domain_count >= min_peers then 4
            else 5
        end as step
    from counted
    join needs on needs.entitlement_type = 'group' or counted.has_peers_by_role
)

select
    source,
    account_id,
    entitlement_type,
    case step when 1 then title_group when 2 then department_group when 3 then manager_group when 4 then domain_group
        else source_group end as peer_group,
    is_peer,
    cast(case step when 1 then title_count when 2 then department_count when 3 then manager_count
        when 4 then domain_count else source_count end as bigint) as peer_count,
    step < 5 or source_count >= min_peers as has_enough
from chosen

/* example
name = "the closest group with enough others; the account itself does not count, one that is no peer sees them all"
given."reference.rules" = [
  { rule_id = "roles", severity = "low", compares = "role" }, { rule_id = "groups", severity = "low", compares = "group" },
  { rule_id = "alone", severity = "low" },
]
given."reference.rule_parameters" = [
  { rule_id = "roles", parameter = "min_peers", value = 2 }, { rule_id = "groups", parameter = "min_peers", value = 9 },
  { rule_id = "alone", parameter = "min_peers", value = 99 },
]
given."graph.peer_keys" = [
  { source = "s", account_id = "1", is_peer = true, has_peers_by_role = true, title_group = "t", department_group = "d", source_group = "all" },
  { source = "s", account_id = "2", is_peer = true, has_peers_by_role = true, title_group = "t", department_group = "d", source_group = "all" },
  { source = "s", account_id = "3", is_peer = true, has_peers_by_role = true, department_group = "d", source_group = "all" },
  { source = "s", account_id = "4", is_peer = false, has_peers_by_role = true, title_group = "t", source_group = "all" },
  { source = "t", account_id = "5", is_peer = true, has_peers_by_role = true, title_group = "t", source_group = "all" },
]
expect = [
  { account_id = "1", entitlement_type = "role", peer_group = "d", peer_count = 2, has_enough = true },
  { account_id = "2", entitlement_type = "role", peer_group = "d", peer_count = 2, has_enough = true },
  { account_id = "3", entitlement_type = "role", peer_group = "d", peer_count = 2, has_enough = true },
  { account_id = "4", entitlement_type = "role", peer_group = "t", peer_count = 2, has_enough = true },
  { account_id = "5", entitlement_type = "role", peer_group = "all", peer_count = 0, has_enough = false },
  { account_id = "1", entitlement_type = "group", peer_group = "all", peer_count = 2, has_enough = false },
  { account_id = "2", entitlement_type = "group", peer_group = "all", peer_count = 2, has_enough = false },
  { account_id = "3", entitlement_type = "group", peer_group = "all", peer_count = 2, has_enough = false },
  { account_id = "4", entitlement_type = "group", peer_group = "all", peer_count = 3, has_enough = false },
  { account_id = "5", entitlement_type = "group", peer_group = "all", peer_count = 0, has_enough = false },
]
*/
