-- Which grants on dashboards, data models and folders does the workbook list, public and sensitive objects first?
select
    row_number() over (
        order by
            coalesce(is_public, false) desc, sensitivity is null, lower(coalesce(object_name, object_id)), source, object_type,
            object_id, accounts_reached desc nulls last, granted_to_type, granted_to_id, level
    ) as line,
    coalesce(object_name, nullif(object_id, ''), 'every ' || case when object_type = 'model' then 'data model' else object_type end) as "Object",
    case when object_type = 'model' then 'data model' else object_type end as "Kind",
    coalesce(granted_to_name, granted_to_id, granted_to_type) || coalesce(' (' || account.address || ')', '') as "Granted to",
    granted_to_type as "Which is",
    case when level = 'owner' then 'owner' else 'may ' || level end as "Level",
    accounts_reached as "Accounts",
    privileged_reached as "Privileged accounts",
    external_reached as "External accounts",
    sensitivity as "Sensitivity",
    case when is_public then 'public' end as "Public",
    owner_email as "Owner",
    path as "How it is held",
    source as "Source",
    object_id as "Object id",
    granted_to_id as "Granted to, id"
from reports.reach
left join (select source as account_source, account_id, coalesce(email, user_name) as address from reports.population) as account
    on granted_to_type = 'account' and account.account_source = source and account.account_id = granted_to_id
