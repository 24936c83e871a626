-- Which changes since the baseline does the workbook list, those of privileges first?
select
    row_number() over (
        order by
            privileged_effect = 'none', object_kind, lower(coalesce(label, key)), source, key, change, field
    ) as line,
    coalesce(label, key) as "Name",
    replace(object_kind, '_', ' ') as "Kind",
    replace(change, '_', ' ') as "Change",
    replace(field, '_', ' ') as "What",
    case when field <> 'privileged' then old_value when old_value = 'true' then 'privileged' when old_value = 'false' then 'not privileged' end as "Before",
    case when field <> 'privileged' then new_value when new_value = 'true' then 'privileged' when new_value = 'false' then 'not privileged' end as "Now",
    nullif(privileged_effect, 'none') as "Privileges",
    source as "Source",
    key as "Id"
from reports.changes
