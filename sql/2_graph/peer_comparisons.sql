/*
summary = "One profile and the peer group that the roles or the groups of its accounts are compared with: the closest group with enough peers."
reads   = ["graph.peer_profiles", "reference.rules", "reference.rule_parameters"]
grain   = ["source", "profile_id", "entitlement_type"]

[columns]
source           = "varchar: the source's name in the configuration"
profile_id       = "bigint: number of the profile"
entitlement_type = "varchar: role or group, whichever is compared"
peer_group       = "varchar: description of the peer group"
is_peer          = "boolean: its accounts belong to the peer group; each is left out of its own comparison"
peer_count       = "bigint: number of peers, without the account itself"
has_enough       = "boolean: there are at least as many peers as the rule requires"
*/
with

-- The smallest sufficient peer group is a parameter of the rules that compare roles or groups.
peer_requirements as (
    select rules.compares as entitlement_type, max(parameters.value) as min_peers
    from reference.rules as rules
    join reference.rule_parameters as parameters
        on parameters.rule_id = rules.rule_id and parameters.parameter = 'min_peers'
    where rules.compares is not null
    group by rules.compares
),

title_sizes as (
    select source, title_group, sum(account_count) as members from graph.peer_profiles
    where is_peer group by source, title_group
),

department_sizes as (
    select source, department_group, sum(account_count) as members from graph.peer_profiles
    where is_peer group by source, department_group
),

manager_sizes as (
    select source, manager_group, sum(account_count) as members from graph.peer_profiles
    where is_peer group by source, manager_group
),

domain_sizes as (
    select source, domain_group, sum(account_count) as members from graph.peer_profiles
    where is_peer group by source, domain_group
),

source_sizes as (
    select source, sum(account_count) as members from graph.peer_profiles where is_peer group by source
),

-- An account is subtracted from its own peers.
profiles_with_sizes as (
    select
        profiles.*,
        titles.members - itself.one as title_count,
        departments.members - itself.one as department_count,
        managers.members - itself.one as manager_count,
        domains.members - itself.one as domain_count,
        coalesce(sources.members, 0) - itself.one as source_count
    from graph.peer_profiles as profiles
    join (select true as is_peer, 1 as one union all select false, 0) as itself on itself.is_peer = profiles.is_peer
    left join title_sizes as titles on titles.source = profiles.source and titles.title_group = profiles.title_group
    left join department_sizes as departments
        on departments.source = profiles.source and departments.department_group = profiles.department_group
    left join manager_sizes as managers on managers.source = profiles.source and managers.manager_group = profiles.manager_group
    left join domain_sizes as domains on domains.source = profiles.source and domains.domain_group = profiles.domain_group
    left join source_sizes as sources on sources.source = profiles.source
),

chosen_steps as (
    select
        profiles.*, required.entitlement_type, required.min_peers,
        case
            when title_count >= min_peers then 1
            when department_count >= min_peers then 2
            when manager_count >= min_peers then 3
            when domain_count >= min_peers then 4
            else 5
        end as step
    from profiles_with_sizes as profiles
    join peer_requirements as required on required.entitlement_type = 'group' or profiles.has_peers_by_role
)

select
    source,
    profile_id,
    entitlement_type,
    case step when 1 then title_group when 2 then department_group when 3 then manager_group when 4 then domain_group
        else source_group end as peer_group,
    is_peer,
    cast(case step when 1 then title_count when 2 then department_count when 3 then manager_count
        when 4 then domain_count else source_count end as bigint) as peer_count,
    step < 5 or source_count >= min_peers as has_enough
from chosen_steps

/* example
name = "the closest group with enough peers wins; an account does not count as its own peer, and an account outside the peer group is compared with all"
given."reference.rules" = [
  { rule_id = "roles", severity = "low", compares = "role" }, { rule_id = "groups", severity = "low", compares = "group" },
  { rule_id = "alone", severity = "low" },
]
given."reference.rule_parameters" = [
  { rule_id = "roles", parameter = "min_peers", value = 2 }, { rule_id = "groups", parameter = "min_peers", value = 9 },
  { rule_id = "alone", parameter = "min_peers", value = 99 },
]
given."graph.peer_profiles" = [
  { source = "s", profile_id = 1, is_peer = true, has_peers_by_role = true, title_group = "t", department_group = "d", source_group = "all", account_count = 1 },
  { source = "s", profile_id = 2, is_peer = true, has_peers_by_role = true, title_group = "t", department_group = "d", source_group = "all", account_count = 1 },
  { source = "s", profile_id = 3, is_peer = true, has_peers_by_role = true, department_group = "d", source_group = "all", account_count = 1 },
  { source = "s", profile_id = 4, is_peer = false, has_peers_by_role = true, title_group = "t", source_group = "all", account_count = 1 },
  { source = "t", profile_id = 5, is_peer = true, has_peers_by_role = true, title_group = "t", source_group = "all", account_count = 1 },
]
expect = [
  { profile_id = 1, entitlement_type = "role", peer_group = "d", peer_count = 2, has_enough = true },
  { profile_id = 2, entitlement_type = "role", peer_group = "d", peer_count = 2, has_enough = true },
  { profile_id = 3, entitlement_type = "role", peer_group = "d", peer_count = 2, has_enough = true },
  { profile_id = 4, entitlement_type = "role", peer_group = "t", peer_count = 2, has_enough = true },
  { profile_id = 5, entitlement_type = "role", peer_group = "all", peer_count = 0, has_enough = false },
  { profile_id = 1, entitlement_type = "group", peer_group = "all", peer_count = 2, has_enough = false },
  { profile_id = 2, entitlement_type = "group", peer_group = "all", peer_count = 2, has_enough = false },
  { profile_id = 3, entitlement_type = "group", peer_group = "all", peer_count = 2, has_enough = false },
  { profile_id = 4, entitlement_type = "group", peer_group = "all", peer_count = 3, has_enough = false },
  { profile_id = 5, entitlement_type = "group", peer_group = "all", peer_count = 0, has_enough = false },
]
*/
