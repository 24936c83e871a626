/*
title       = "Rare right to edit sensitive data"
summary     = "An account that may edit a sensitive dashboard or data model through a group that is rare among its peers."
severity    = "medium"
population  = """
select source, object_type, object_id from graph.objects where object_type in ('dashboard', 'model') and is_sensitive
union all
select source, object_type, object_id from graph.missing_objects where object_type in ('dashboard', 'model')
"""
reads       = ["graph.objects", "graph.missing_objects", "graph.object_grants", "graph.accounts", "graph.effective_access", "graph.peer_groups", "graph.peer_statistics"]
grain       = ["source", "object_type", "object_id", "account_id", "group_id"]
needs       = "objects"
remediation = "Remove the account from the group, or let the group only view the data. If the account must edit it, record why."

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.5.15", "A.8.3"]
nist     = ["AC-6"]

[effects]
recommendation = "investigate"
on             = "group"
reason         = "The group may edit sensitive data, and few peers of the account are in it."
*/
with

editing_groups as (
    select
        object.source, object.object_type, object.object_id, object.object_name, object.sensitivity,
        held.granted_to_id as group_id, coalesce(held.granted_to_name, held.granted_to_id) as group_name
    from graph.objects as object
    join graph.object_grants as held
        on held.source = object.source and held.object_type = object.object_type and held.object_id = object.object_id
    where object.is_sensitive and object.object_type in ('dashboard', 'model') and held.granted_to_type = 'group'
        and held.level = 'edit'
),

group_members as (
    select distinct editing.source, editing.group_id, peers.account_id, peers.peer_group, peers.is_peer
    from editing_groups as editing
    join graph.effective_access as access
        on access.source = editing.source and access.entitlement_type = 'group'
        and access.entitlement_id = editing.group_id and not access.is_builtin
    join graph.peer_groups as peers
        on peers.source = access.source and peers.account_id = access.account_id and peers.entitlement_type = 'group'
),

verdicts as (
    select
        editing.source, editing.object_type, editing.object_id, editing.object_name, editing.sensitivity,
        editing.group_name, editing.group_id, member.account_id, statistic.peer_k, statistic.peer_n, statistic.peer_group,
        case when statistic.peer_verdict = 'insufficient_peers' then 'unknown' else 'failed' end as verdict
    from editing_groups as editing
    join group_members as member on member.source = editing.source and member.group_id = editing.group_id
    join graph.peer_statistics as statistic
        on statistic.source = member.source and statistic.entitlement_type = 'group'
        and statistic.entitlement_id = member.group_id and statistic.peer_group = member.peer_group
        and statistic.is_peer = member.is_peer
    where statistic.peer_verdict in ('insufficient_peers', 'rare_confident', 'rare_possible')
),

unread_objects as (
    select source, object_type, object_id
    from graph.objects
    where object_type in ('dashboard', 'model') and is_sensitive and has_shares is distinct from true
)

select
    verdicts.source,
    object_type,
    object_id,
    verdicts.account_id,
    group_id,
    verdict,
    coalesce(account.display_name, verdicts.account_id) || ' may edit the ' || replace(object_type, 'model', 'data model') || ' ' || object_name || ', which is labelled ' || sensitivity
        || ', through the group ' || group_name || '. ' || grouped(peer_k) || ' of ' || counted(peer_n, 'peer') || ' ('
        || peer_group || ')' || case when peer_k = 1 then ' is' else ' are' end || ' in that group.' as detail,
    grouped(peer_k) || ' of ' || counted(peer_n, 'peer') as observed_value,
    'a group that is usual among peers' as threshold,
    cast({'group_id': group_id} as json) as evidence
from verdicts
left join graph.accounts as account on account.source = verdicts.source and account.account_id = verdicts.account_id
union all
select source, object_type, object_id, '', '', 'unknown', null, null, null, null from unread_objects
union all
select source, object_type, object_id, '', '', 'unknown', null, null, null, null
from graph.missing_objects
where object_type in ('dashboard', 'model')

/* example
name = "a member of a rare editing group fails; too few peers and unread shares are not evaluated; usual groups, viewers and other objects pass"
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "d", object_name = "Pay", is_sensitive = true, sensitivity = "secret", has_shares = true },
  { source = "s", object_type = "model", object_id = "unread", object_name = "Orders", is_sensitive = true, sensitivity = "secret", has_shares = false },
  { source = "s", object_type = "dashboard", object_id = "open", object_name = "Sales", is_sensitive = false, has_shares = true },
]
given."graph.object_grants" = [
  { source = "s", object_type = "dashboard", object_id = "d", level = "edit", granted_to_type = "group", granted_to_id = "rare", granted_to_name = "Emergency" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "edit", granted_to_type = "group", granted_to_id = "usual", granted_to_name = "Accounting" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "view", granted_to_type = "group", granted_to_id = "viewers", granted_to_name = "Viewers" },
  { source = "s", object_type = "dashboard", object_id = "open", level = "edit", granted_to_type = "group", granted_to_id = "rare", granted_to_name = "Emergency" },
]
given."graph.accounts" = [ { source = "s", account_id = "a", display_name = "Ann" }, { source = "t", account_id = "a", display_name = "Bo" } ]
given."graph.effective_access" = [
  { source = "s", account_id = "a", entitlement_type = "group", entitlement_id = "rare", is_builtin = false },
  { source = "s", account_id = "few", entitlement_type = "group", entitlement_id = "rare", is_builtin = false },
  { source = "s", account_id = "b", entitlement_type = "group", entitlement_id = "usual", is_builtin = false },
  { source = "s", account_id = "b", entitlement_type = "group", entitlement_id = "viewers", is_builtin = false },
]
given."graph.peer_groups" = [
  { source = "s", account_id = "a", entitlement_type = "group", peer_group = "Sales", is_peer = true },
  { source = "s", account_id = "few", entitlement_type = "group", peer_group = "Legal", is_peer = true },
  { source = "s", account_id = "b", entitlement_type = "group", peer_group = "Sales", is_peer = true },
]
given."graph.peer_statistics" = [
  { source = "s", entitlement_type = "group", peer_group = "Sales", is_peer = true, entitlement_id = "rare", peer_n = 30, peer_k = 0, peer_verdict = "rare_confident" },
  { source = "s", entitlement_type = "group", peer_group = "Legal", is_peer = true, entitlement_id = "rare", peer_n = 2, peer_k = 0, peer_verdict = "insufficient_peers" },
  { source = "s", entitlement_type = "group", peer_group = "Sales", is_peer = true, entitlement_id = "usual", peer_n = 30, peer_k = 20, peer_verdict = "common" },
  { source = "s", entitlement_type = "group", peer_group = "Sales", is_peer = true, entitlement_id = "viewers", peer_n = 30, peer_k = 0, peer_verdict = "rare_confident" },
]
expect = [
  { object_id = "d", account_id = "a", group_id = "rare", verdict = "failed", detail = "Ann may edit the dashboard Pay, which is labelled secret, through the group Emergency. 0 of 30 peers (Sales) are in that group." },
  { object_id = "d", account_id = "few", group_id = "rare", verdict = "unknown" },
  { object_id = "unread", account_id = "", group_id = "", verdict = "unknown" },
]
population = 2
*/
/* example
name = "objects that may be missing from their list are not evaluated; those that were read are"
given."graph.missing_objects" = [
  { source = "s", object_type = "dashboard", object_id = "" }, { source = "s", object_type = "model", object_id = "" },
  { source = "s", object_type = "mailed report", object_id = "" },
]
given."graph.objects" = [ { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales", is_sensitive = true, sensitivity = "secret", is_public = false, has_shares = true, owner_id = "a" } ]
expect = [ { object_type = "dashboard", object_id = "", verdict = "unknown" }, { object_type = "model", object_id = "", verdict = "unknown" } ]
population = 3
*/
