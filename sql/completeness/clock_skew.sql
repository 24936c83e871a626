/*
summary = "The source's clock differs from this machine's by less than 300 s."
reads   = ["meta.sources"]
*/
select
    source,
    'under 300 s' as expected,
    abs(cast(round(clock_skew_seconds) as bigint)) || case when clock_skew_seconds < 0 then ' s behind' else ' s ahead' end
        as observed,
    cast(round(clock_skew_seconds) as bigint) as difference,
    case when clock_skew_seconds is null then 'NOT_AVAILABLE' when abs(clock_skew_seconds) < 300 then 'PASS' else 'FAIL' end
        as result,
    case
        when clock_skew_seconds is null then 'The source does not tell its time.'
        when abs(clock_skew_seconds) < 300 then 'Both clocks agree well enough.'
        else 'One of the two clocks is wrong; times seen near a limit may be judged wrongly.'
    end as explanation
from meta.sources
where snapshot_id = $snapshot_id
