-- Which roles and groups does each listed account hold, with the comparison with peers, the recommendation and the
-- last decision?
select
    chosen.place as account, access.source, access.entitlement_type, access.entitlement_id, access.entitlement_name,
    access.permission_level, coalesce(groups.is_builtin, false) as is_builtin, access.grant_type, access.granted_via_group_id, access.first_seen_snapshot_id,
    access.peer_group, access.peer_n, access.peer_k, access.peer_share, access.change_since_baseline,
    access.prior_decision, access.prior_reviewer, access.prior_decision_at, access.recommendation,
    access.recommendation_reason
from lookup_choice as chosen
join reports.access as access on access.source = chosen.source and access.account_id = chosen.account_id
left join graph.groups as groups
    on groups.source = access.source and groups.group_id = access.entitlement_id and access.entitlement_type = 'group'
order by
    chosen.place, access.entitlement_type desc, lower(access.entitlement_name), access.entitlement_id
