-- How far the decisions on each risk are, the gravest first
with

severities as (
    select *
    from (values ('critical', 1), ('high', 2), ('medium', 3), ('low', 4), ('info', 5)) as ranked (risk, position)
)

select
    severities.risk, count(item.item_id) as items, count(item.decision) as decided,
    count(item.item_id) - count(item.decision) as pending
from severities
left join current_items as item on item.risk = severities.risk
group by severities.risk, severities.position
order by severities.position
