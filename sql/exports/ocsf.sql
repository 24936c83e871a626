-- Events of watch as OCSF 1.8.0: account changes, user access, group management, and detection findings
-- source: https://github.com/ocsf/ocsf-schema/tree/1.8.0/events/iam
-- checked: 2026-11-30
-- $after: the position of the last event that the receiver has
-- $most: how many events to give at once
with

-- A rule's event has the name that the rule gives it, and the rule's severity.
rule_severities as (
    select event, min(severities.position) as severity_position
    from reference.rules as rules
    join reference.severities as severities on severities.severity = rules.severity
    where event is not null
    group by event
),

classified as (
    select
        events.*,
        case events.kind
            when 'joiner' then [3001, 1] when 'leaver' then [3001, 6]
            when 'activated' then [3001, 2] when 'reactivated' then [3001, 2] when 'deactivated' then [3001, 5]
            when 'mover' then [3001, 99] when 'status_changed' then [3001, 99] when 'changed' then [3001, 99]
            when 'privilege_gained' then [3005, 1] when 'privilege_lost' then [3005, 2]
            when 'group_added' then [3006, 3] when 'group_removed' then [3006, 4]
            else [2004, 1]
        end as class,
        coalesce(nullif(events.display_name, ''), events.user_name, events.account_id) as label
    from history.events as events
    where events.position > $after
    order by events.position
    limit $most
),

named as (
    select
        classified.*,
        class[1] as class_uid,
        class[2] as activity_id,
        case class[1]
            when 3001 then 'Account Change' when 3005 then 'User Access Management'
            when 3006 then 'Group Management' else 'Detection Finding'
        end as class_name,
        case
            when kind in ('joiner', 'activated', 'reactivated', 'deactivated', 'leaver') then
                case class[2] when 1 then 'Create' when 2 then 'Enable' when 5 then 'Disable' else 'Delete' end
            when kind = 'mover' then 'Role Change'
            when kind = 'status_changed' then 'Status Change'
            when kind = 'changed' then 'Attribute Change'
            when kind = 'privilege_gained' then 'Assign Privileges'
            when kind = 'privilege_lost' then 'Revoke Privileges'
            when kind = 'group_added' then 'Add User'
            when kind = 'group_removed' then 'Remove User'
            else 'Create'
        end as activity_name,
        case
            when class[1] = 2004 then 6 - rules.severity_position
            when privileged_effect in ('gained', 'raised') then 3
            else 1
        end as severity_id,
        case kind
            when 'joiner' then 'The account ' || label || ' was added.'
            when 'leaver' then 'The account ' || label || ' was removed.'
            when 'group_added' then label || ' joined the group ' || coalesce(new_label, new_value) || '.'
            when 'group_removed' then label || ' left the group ' || coalesce(old_label, old_value) || '.'
            when 'privilege_gained' then label || ' gained administrative rights.'
            when 'privilege_lost' then label || ' lost administrative rights.'
            else label || ': ' || case
                when class[1] = 2004 then replace(kind, '_', ' ')
                else replace(field, '_', ' ') || ' changed' || coalesce(' from ' || old_label, '') || coalesce(' to ' || new_label, '')
            end || '.'
        end as message,
        snapshots.tool_version,
        {
            'uid': account_id,
            'name': user_name,
            'display_name': display_name,
            'email_addr': case when regexp_full_match(email, '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}') then email end
        } as user_object
    from classified
    left join rule_severities as rules on rules.event = classified.kind
    left join meta.snapshots as snapshots on snapshots.snapshot_id = classified.snapshot_id
)

select
    position,
    event_id,
    to_json({
        'activity_id': activity_id,
        'activity_name': activity_name,
        'category_uid': class_uid // 1000,
        'category_name': case class_uid when 2004 then 'Findings' else 'Identity & Access Management' end,
        'class_uid': class_uid,
        'class_name': class_name,
        'type_uid': class_uid * 100 + activity_id,
        'type_name': class_name || ': ' || activity_name,
        'severity_id': coalesce(severity_id, 0),
        'severity': ['Unknown', 'Informational', 'Low', 'Medium', 'High', 'Critical'][coalesce(severity_id, 0) + 1],
        'status_id': 1,
        'status': case class_uid when 2004 then 'New' else 'Success' end,
        -- Sisense reports no changes: a change lies between two extracts, and its time is that of the later one.
        'time': epoch_ms(detected_at),
        'start_time': epoch_ms(happened_after),
        'end_time': epoch_ms(detected_at),
        'timezone_offset': 0,
        'message': message,
        'metadata': {
            'version': '1.8.0',
            'uid': event_id,
            'sequence': position,
            'event_code': kind,
            'log_name': 'history.events',
            'log_provider': source,
            'product': {'name': 'Sisense access review', 'version': tool_version}
        },
        'user': case when class_uid <> 2004 then user_object end,
        'group': case kind
            when 'group_added' then {'uid': new_value, 'name': new_label}
            when 'group_removed' then {'uid': old_value, 'name': old_label}
        end,
        'privileges': case class_uid when 3005 then ['administrative rights'] end,
        'finding_info': case class_uid when 2004 then {
            'uid': event_id, 'title': upper(left(kind, 1)) || replace(substr(kind, 2), '_', ' '), 'desc': message
        } end,
        'evidences': case class_uid when 2004 then [{'user': user_object}] end,
        'unmapped': {
            'field': field, 'old_value': old_value, 'new_value': new_value, 'old_label': old_label, 'new_label': new_label,
            'privileged_effect': privileged_effect, 'state': state::json,
            'previous_snapshot_id': previous_snapshot_id, 'snapshot_id': snapshot_id
        }
    }) as document
from named
order by position
