/*
summary = "The clocks of the source and of this machine differ by less than 300 s."
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
        when clock_skew_seconds is null then 'The source does not report its time.'
        when abs(clock_skew_seconds) < 300 then 'The clocks differ by less than 300 s.'
        else 'One of the clocks is wrong, so a finding that depends on a time close to its limit may be wrong.'
    end as explanation
from meta.sources
where snapshot_id = $snapshot_id and kind <> 'files'
