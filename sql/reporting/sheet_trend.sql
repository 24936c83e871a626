-- Which reports does the workbook compare, the newest extract first? None if this is the only one.
with figures as (
    select
        snapshot_id,
        max(value) filter (where figure = 'privileged_accounts') as privileged_accounts,
        max(value) filter (where figure = 'stale_accounts') as stale_accounts,
        max(value) filter (where figure = 'approved_percent') as approved_percent,
        max(value) filter (where figure = 'removed_percent') as removed_percent,
        max(value) filter (where figure = 'median_days_to_fix') as median_days_to_fix
    from reports.trend_figures
    group by snapshot_id
)

select
    row_number() over (order by trend.snapshot_id desc) as line,
    cast(any_value(trend.read_at) as date) as "Read",
    cast(trend.as_of as date) as "As of",
    cast(sum(trend.open) as bigint) as "Open findings",
    cast(sum(trend.new) as bigint) as "New",
    cast(sum(trend.resolved) as bigint) as "Resolved",
    cast(sum(trend.reopened) as bigint) as "Reopened",
    cast(sum(trend.evaluated_again) as bigint) as "Evaluated again",
    cast(sum(trend.not_evaluated) as bigint) as "No longer evaluated",
    cast(sum(trend.open) filter (where trend.severity = 'critical') as bigint) as "Critical",
    cast(sum(trend.open) filter (where trend.severity = 'high') as bigint) as "High",
    cast(sum(trend.open) filter (where trend.severity = 'medium') as bigint) as "Medium",
    cast(sum(trend.open) filter (where trend.severity = 'low') as bigint) as "Low",
    cast(sum(trend.open) filter (where trend.severity = 'info') as bigint) as "Info",
    cast(any_value(figures.privileged_accounts) as bigint) as "Privileged accounts",
    cast(any_value(figures.stale_accounts) as bigint) as "Stale accounts",
    any_value(figures.approved_percent) as "Approved in reviews, %",
    any_value(figures.removed_percent) as "Removed by reviews, %",
    any_value(figures.median_days_to_fix) as "Median days to fix",
    trend.snapshot_id as "Snapshot id"
from reports.trend as trend
left join figures on figures.snapshot_id = trend.snapshot_id
group by trend.as_of, trend.snapshot_id
qualify count(*) over () > 1
