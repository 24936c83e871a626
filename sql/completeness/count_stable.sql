/*
summary = "The source counted the same number of users before and after the extract."
reads   = ["meta.sources"]
gate    = true
*/
select
    source,
    users_before::varchar as expected,
    users_after::varchar as observed,
    users_after - users_before as difference,
    case
        when users_before is null or users_after is null then 'NOT_AVAILABLE'
        when users_before = users_after then 'PASS'
        else 'FAIL'
    end as result,
    case
        when users_before is null or users_after is null then 'The source''s count before or after the extract is missing.'
        when users_before = users_after then 'The source counted ' || counted(users_before, 'user') || ' before and after.'
        else 'The source counted ' || counted(users_before, 'user') || ' before and ' || users_after || ' after.'
    end as explanation
from meta.sources
where snapshot_id = $snapshot_id
