-- Which events happened to accounts between two snapshots?
-- $previous_snapshot_id: the snapshot compared with
-- $snapshot_id: the later one
with

-- The changes of accounts and memberships, under the names of events. Changes of the roster are not events.
changes as (
    select
        case
            when object_kind = 'membership' and change = 'added' then 'group_added'
            when object_kind = 'membership' then 'group_removed'
            when change = 'role_changed' then 'mover'
            when change = 'new_privileged' then 'privilege_gained'
            else change
        end as kind,
        object_kind, source, key, field, old_value as old_label, new_value as new_label, privileged_effect
    from reports.changes
    where object_kind in ('account', 'membership') and field <> 'person_id'
),

-- The key of a membership change joins account and group; looking it up in current and earlier grants splits it.
group_grants as (
    select source, account_id, entitlement_id as group_id from graph.grants
    union
    select source, account_id, entitlement_id from baseline.grants
),

membership_events as (
    select
        changes.kind, changes.source, grants.account_id, 'group' as field,
        case when changes.kind = 'group_removed' then grants.group_id end as old_value,
        case when changes.kind = 'group_added' then grants.group_id end as new_value,
        changes.old_label, changes.new_label, changes.privileged_effect
    from changes
    join group_grants as grants on grants.source = changes.source and grants.account_id || ':' || grants.group_id = changes.key
    where changes.object_kind = 'membership'
),

account_events as (
    select
        changes.kind, changes.source, changes.key as account_id, changes.field,
        case
            when changes.field = 'role' then before.role_id
            when changes.field <> 'account' then changes.old_label
        end as old_value,
        case
            when changes.field = 'role' then now.role_id
            when changes.field <> 'account' then changes.new_label
        end as new_value,
        changes.old_label, changes.new_label, changes.privileged_effect
    from changes
    left join graph.accounts as now on now.source = changes.source and now.account_id = changes.key
    left join baseline.accounts as before on before.source = changes.source and before.account_id = changes.key
    where changes.object_kind = 'account'
),

-- A privileged account that leaves loses its privilege: a separate event, which reports.changes has as an effect.
privileged_leaver_events as (
    select
        'privilege_lost' as kind, source, account_id, 'privileged' as field, 'true' as old_value,
        cast(null as varchar) as new_value, 'true' as old_label, cast(null as varchar) as new_label,
        'lost' as privileged_effect
    from account_events
    where kind = 'leaver' and privileged_effect = 'lost'
),

-- Rules with an event: one event when an account's finding is new; for some also when the account was used again since.
-- They are compared with the last extract that read every directory whole; without one, they are not compared.
rule_events as (
    select
        rules.event as kind, now.source, now.account_id,
        case when rules.event_when_used then 'last_seen_at' else 'finding' end as field,
        case when rules.event_when_used then cast(before.last_seen_at as varchar) end as old_value,
        case when rules.event_when_used then cast(now.last_seen_at as varchar) else rules.rule_id end as new_value,
        case when rules.event_when_used then cast(before.last_seen_at as varchar) end as old_label,
        case when rules.event_when_used then cast(now.last_seen_at as varchar) else rules.rule_id end as new_label,
        'none' as privileged_effect
    from graph.register as found
    join reference.rules as rules on rules.rule_id = found.rule_id and rules.event is not null
    join graph.accounts as now on now.source = found.source and now.account_id = found.account_id
    join evaluated.snapshot as evaluated on true
    left join evaluated.accounts as before on before.source = now.source and before.account_id = now.account_id
    left join evaluated.register as known on known.finding_id = found.finding_id
    where
        known.finding_id is null
        or (rules.event_when_used and (before.last_seen_at is null or now.last_seen_at > before.last_seen_at))
),

events as (
    select * from account_events
    union all
    select * from membership_events
    union all
    select * from privileged_leaver_events
    union all
    select * from rule_events
)

select
    sha256(concat_ws(
        chr(31), $previous_snapshot_id, $snapshot_id, events.kind, events.source, events.account_id, events.field,
        coalesce(events.old_value, ''), coalesce(events.new_value, '')
    )) as event_id,
    events.kind, events.source, events.account_id,
    coalesce(now.user_name, before.user_name) as user_name,
    coalesce(now.email, before.email) as email,
    coalesce(now.display_name, before.display_name) as display_name,
    events.field, events.old_value, events.new_value, events.old_label, events.new_label,
    case
        when events.kind = 'joiner' then cast(json_object(
            'user_name', now.user_name, 'email', now.email, 'display_name', now.display_name, 'status', now.status,
            'role_id', now.role_id
        ) as varchar)
        when events.kind = 'leaver' then cast(json_object(
            'user_name', before.user_name, 'email', before.email, 'display_name', before.display_name,
            'status', before.status, 'role_id', before.role_id
        ) as varchar)
    end as state,
    events.privileged_effect,
    -- An account joins before its other events and leaves after them.
    row_number() over (
        order by
            events.source, events.account_id, events.kind = 'leaver', events.kind <> 'joiner', events.field,
            events.kind, events.old_value, events.new_value
    ) as place
from events
left join graph.accounts as now on now.source = events.source and now.account_id = events.account_id
left join baseline.accounts as before on before.source = events.source and before.account_id = events.account_id
