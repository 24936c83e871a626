-- Through which grants do the listed accounts reach dashboards, models and folders? Sensitive objects come first.
-- $rows: the most grants
select
    object.source, object.object_type, object.object_id, object.object_name, object.owner_email, object.sensitivity,
    object.level, object.granted_to_type, object.granted_to_id, chosen.place as account, count(*) over () as total
from reports.reach as object
left join lookup_choice as chosen
    on object.granted_to_type = 'account' and chosen.source = object.source
    and chosen.account_id = object.granted_to_id
where object.granted_to_type in ('group', 'role', 'everyone') or chosen.place is not null
order by
    object.sensitivity is null, object.source, object.object_type, object.object_name, object.object_id,
    object.granted_to_type, object.granted_to_id
limit $rows
