-- What was decided, and how: the sum adds up to the items
with

numbered as (
    select
        *, row_number() over (partition by decided_by order by attention, source, display_name, item_id) as place,
        row_number() over (partition by decided_by, decision order by attention, source, display_name, item_id)
            as place_of_decision
    from current_items
    where decision is not null
),

-- Neighbours in the packet with the same decision share the difference of both places.
runs as (
    select decided_by, decision, count(*) as length
    from numbered
    group by decided_by, decision, place - place_of_decision
)

select
    count(*) as items,
    count(*) filter (where decision = 'keep') as kept,
    count(*) filter (where decision = 'remove') as removed,
    count(*) filter (where decision = 'reduce') as reduced,
    count(*) filter (where decision = 'defer') as deferred,
    count(*) filter (where decision = 'exception') as excepted,
    count(*) filter (where decision is null) as pending,
    count(*) filter (where is_high_risk) as high_risk,
    count(distinct reviewer_email) as reviewers,
    (select coalesce(max(length), 0) from runs) as longest_run
from current_items
