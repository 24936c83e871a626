-- What has changed since the baseline? Changes of privileges come first. Every row has the total number of rows.
-- $rows: maximum number of rows
select changes.*, counts.position, counts.label as kind, count(*) over () as total
from reports.changes as changes
left join reports.change_counts as counts using (object_kind, change)
order by
    case privileged_effect
        when 'gained' then 1 when 'raised' then 2 when 'lost' then 3 when 'lowered' then 4 else 5
    end,
    counts.position, lower(changes.label), changes.source, changes.key, changes.field
limit $rows
