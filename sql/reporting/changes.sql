-- What has changed since the baseline? Changes of privileges come first. Every row has the total number of rows.
-- $rows: maximum number of rows
select
    changes.* replace (
        case when field <> 'privileged' then old_value when old_value = 'true' then 'privileged' when old_value = 'false' then 'not privileged' end as old_value,
        case when field <> 'privileged' then new_value when new_value = 'true' then 'privileged' when new_value = 'false' then 'not privileged' end as new_value
    ),
    counts.position, counts.label as kind, count(*) over () as total
from reports.changes as changes
left join reports.change_counts as counts using (object_kind, change)
order by
    case privileged_effect
        when 'gained' then 1 when 'raised' then 2 when 'lost' then 3 when 'lowered' then 4 else 5
    end,
    counts.position, lower(changes.label), changes.source, changes.key, changes.field
limit $rows
