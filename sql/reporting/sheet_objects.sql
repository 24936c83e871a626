-- Which grants on dashboards, data models and folders does the workbook list, public and sensitive objects first?
select
    row_number() over (
        order by
            is_public desc nulls last, sensitivity is null, lower(coalesce(object_name, object_id)), source, object_type,
            object_id, accounts_reached desc nulls last, granted_to_type, granted_to_id, level
    ) as line,
    coalesce(object_name, nullif(object_id, ''), 'every ' || object_type) as "Object",
    object_type as "Kind",
    coalesce(granted_to_name, granted_to_id, granted_to_type) as "Granted to",
    granted_to_type as "Which is",
    level as "Level",
    accounts_reached as "Accounts",
    privileged_reached as "Privileged",
    external_reached as "External",
    sensitivity as "Sensitivity",
    case when is_public then 'public' end as "Public",
    owner_email as "Owner",
    path as "How it is held",
    source as "Source",
    object_id as "Object id",
    granted_to_id as "Granted to, id"
from reports.reach
