-- Which findings can be looked up, the most severe first, and for which of the listed accounts does each count?
-- $rows: the most findings
with

accounts as (
    select counted.finding_id, list(chosen.place order by chosen.place) as places
    from reports.finding_accounts as counted
    join lookup_choice as chosen on chosen.source = counted.source and chosen.account_id = counted.account_id
    group by counted.finding_id
)

select
    found.finding_id, found.rule_id, found.severity, found.source, found.subject_type, found.subject_id, shown.kind,
    found.account_id, shown.label, shown.email, shown.department, found.detail, found.observed_value, found.threshold,
    found.evidence, found.recommended_action, found.status, found.first_seen_snapshot_id, found.first_seen_at, found.age_days,
    found.owner_email, shown.owner, found.due_at, found.overdue, accounts.places,
    count(*) over () as total
from reports.findings as found
join reports.finding_rows as shown on shown.finding_id = found.finding_id
left join accounts on accounts.finding_id = found.finding_id
order by
    found.status <> 'open', shown.severity_rank, shown.privileged desc nulls last,
    shown.days_since_end desc nulls last, lower(shown.label), found.finding_id
limit $rows
