-- What changed since the baseline? Changes of privileges come first.
select object_kind, change, source, label, field, old_value, new_value, privileged_effect
from reports.changes
order by privileged_effect = 'none', source, object_kind, key, change, field
