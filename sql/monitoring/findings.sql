-- How many findings did the newest complete snapshot that was built leave open, by severity?
with

newest as (
    select max(trend.snapshot_id) as snapshot_id
    from history.trend as trend
    join meta.snapshots as snapshots on snapshots.snapshot_id = trend.snapshot_id
    where snapshots.completeness = 'FULL'
)

select trend.severity, trend.open
from history.trend as trend
join newest on newest.snapshot_id = trend.snapshot_id
order by trend.severity
