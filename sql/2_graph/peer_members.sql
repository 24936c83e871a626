/*
summary = "One profile of active human accounts in one peer group that is used in a comparison."
reads   = ["graph.peer_profiles", "graph.peer_comparisons"]
grain   = ["source", "peer_group", "profile_id"]

[columns]
source     = "varchar: the source's name in the configuration"
peer_group = "varchar: description of the peer group"
profile_id = "bigint: number of the profile"
*/
with

used_peer_groups as (
    select distinct source, peer_group from graph.peer_comparisons
),

peers as (
    select * from graph.peer_profiles where is_peer
)

select used.source, used.peer_group, peers.profile_id
from peers join used_peer_groups as used on used.source = peers.source and used.peer_group = peers.title_group
union all
select used.source, used.peer_group, peers.profile_id
from peers join used_peer_groups as used on used.source = peers.source and used.peer_group = peers.department_group
union all
select used.source, used.peer_group, peers.profile_id
from peers join used_peer_groups as used on used.source = peers.source and used.peer_group = peers.manager_group
union all
select used.source, used.peer_group, peers.profile_id
from peers join used_peer_groups as used on used.source = peers.source and used.peer_group = peers.domain_group
union all
select used.source, used.peer_group, peers.profile_id
from peers join used_peer_groups as used on used.source = peers.source and used.peer_group = peers.source_group
