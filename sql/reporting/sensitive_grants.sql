-- By which grants are the sensitive objects reached, the widest first?
-- $shown: the most objects
-- $grants: the most grants of one object
with

ranked_grants as (
    select
        exposure.sensitive_position, reach.granted_to_type, reach.granted_to_id, reach.granted_to_name, reach.level,
        reach.accounts_reached, reach.privileged_reached, reach.external_reached,
        count(*) over (partition by exposure.sensitive_position) as total,
        row_number() over (
            partition by exposure.sensitive_position
            order by
                case reach.granted_to_type when 'public' then 1 when 'everyone' then 2 when 'invitation' then 3 else 4 end,
                reach.accounts_reached desc nulls last, reach.granted_to_type, reach.level, reach.granted_to_name,
                reach.granted_to_id
        ) as place
    from reports.object_exposure as exposure
    join reports.reach as reach
        on reach.source = exposure.source and reach.object_type = exposure.object_type
        and reach.object_id = exposure.object_id
    where exposure.sensitive_position <= $shown
)

select *
from ranked_grants
where place <= $grants
order by sensitive_position, place
