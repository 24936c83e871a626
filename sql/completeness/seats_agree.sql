/*
summary = "The source counts as many seats in use, by class, as there are active accounts and invitations."
reads   = [
    "meta.sources", "raw.posture", "landed.users", "landed.roles", "reference.role_names", "reference.rank_levels",
]
*/
with

builtin_names as (
    select lower(role_name) as name, level from reference.role_names
    union
    select lower(display_name), level from reference.role_names
),

role_seats as (
    select role.source, role.role_id, levels.seat_class
    from landed.roles as role
    left join builtin_names as own on own.name = lower(role.role_name)
    left join builtin_names as base on base.name = lower(role.base_role_name)
    join reference.rank_levels as levels on levels.level = coalesce(own.level, base.level)
),

accounts as (
    select source, account_id, any_value(role_id) as role_id
    from landed.users
    where takes_seat
    group by source, account_id
),

own_counts as (
    select
        account.source,
        count(*) filter (where seats.seat_class = 'admin') as admins,
        count(*) filter (where seats.seat_class = 'designer') as designers,
        count(*) filter (where seats.seat_class = 'viewer') as viewers,
        count(*) filter (where seats.seat_class is null) as unknown
    from accounts as account
    left join role_seats as seats on seats.source = account.source and seats.role_id = account.role_id
    group by account.source
),

server_counts as (
    select
        source,
        max(try_cast(payload ->> '$.inUseAdmins' as bigint)) as admins,
        max(try_cast(payload ->> '$.inUseDesigners' as bigint)) as designers,
        max(try_cast(payload ->> '$.inUseViewers' as bigint)) as viewers
    from raw.posture
    where snapshot_id = $snapshot_id and is_accepted and payload ->> '$.setting' = 'seats'
    group by source
),

counts as (
    select
        sources.source, server.admins, server.designers, server.viewers,
        coalesce(own.admins, 0) as own_admins, coalesce(own.designers, 0) as own_designers,
        coalesce(own.viewers, 0) as own_viewers, coalesce(own.unknown, 0) as own_unknown,
        server.admins is not null and server.designers is not null and server.viewers is not null as is_known
    from meta.sources as sources
    left join server_counts as server on server.source = sources.source
    left join own_counts as own on own.source = sources.source
    where sources.snapshot_id = $snapshot_id and sources.kind <> 'files'
),

results as (
    select
        *,
        case
            when not is_known then 'NOT_AVAILABLE'
            when admins = own_admins and designers = own_designers and viewers = own_viewers and own_unknown = 0 then 'PASS'
            else 'FAIL'
        end as result
    from counts
)

select
    source,
    case when is_known
        then admins || ' admin, ' || designers || ' designer, ' || viewers || ' viewer' end as expected,
    own_admins || ' admin, ' || own_designers || ' designer, ' || own_viewers || ' viewer'
        || case when own_unknown > 0 then ', ' || own_unknown || ' unknown' else '' end as observed,
    -- Classes that differ in opposite directions must not cancel out.
    case when is_known
        then greatest(abs(own_admins - admins) + abs(own_designers - designers) + abs(own_viewers - viewers), own_unknown) end
        as difference,
    result,
    case result
        when 'NOT_AVAILABLE' then 'The source does not say how many seats are in use.'
        when 'PASS' then 'The source counts the same seats as this program.'
        else 'The source and this program count seats differently: look for accounts whose role has no class of seat.'
    end as explanation
from results
