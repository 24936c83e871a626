-- Which roles reach every object of a type?
select
    source, granted_to_type, granted_to_id, granted_to_name, object_type, level, accounts_reached, privileged_reached,
    external_reached
from reports.reach
where object_id = '' and granted_to_type = 'role'
order by source, accounts_reached desc, granted_to_name, granted_to_id, object_type
