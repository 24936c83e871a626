/*
summary = "The database records the version of its tables. What earlier versions added step by step is there."
*/
create table if not exists meta.schema_version (
    version integer primary key, applied_at timestamp not null, tool_version varchar not null
);

-- Columns and rows that databases made before version 1 may lack. A database of version 1 has them all.
drop table if exists reference.risk_factors;
alter table if exists meta.snapshots add column if not exists pruned_at timestamp;
alter table if exists meta.builds add column if not exists roster_file varchar;
alter table if exists reference.role_names add column if not exists level varchar;
alter table if exists reference.rules add column if not exists is_per_person boolean;
alter table if exists reference.rules add column if not exists is_per_role boolean;
alter table if exists reference.rules add column if not exists is_per_object boolean;
alter table if exists reference.rules add column if not exists needs varchar;
alter table if exists reference.rules add column if not exists recommendation varchar;
alter table if exists reference.rules add column if not exists marks varchar;
alter table if exists reference.rules add column if not exists reason varchar;
alter table if exists reference.rules add column if not exists comes_first boolean;
alter table if exists reference.rules add column if not exists deactivates boolean;
alter table if exists reference.rules add column if not exists risk_factor varchar;
alter table if exists reference.rules add column if not exists risk_likelihood integer;
alter table if exists reference.rules add column if not exists headline varchar;
alter table if exists reference.rules add column if not exists event varchar;
alter table if exists reference.rules add column if not exists compares varchar;
alter table if exists reference.rules add column if not exists event_when_used boolean;
alter table if exists policy.roles add column if not exists source varchar;
alter table if exists findings.failed add column if not exists object_type varchar;
alter table if exists history.accounts add column if not exists unreadable_fields varchar[];
alter table if exists history.groups add column if not exists has_unreadable_members boolean;
alter table if exists history.register add column if not exists first_seen_snapshot_id varchar;
alter table if exists history.register add column if not exists first_seen_at timestamp;
alter table if exists history.register add column if not exists due_from_at timestamp;
alter table if exists history.register add column if not exists object_type varchar;
alter table if exists history.register add column if not exists returned_snapshot_id varchar;
alter table if exists history.trend add column if not exists evaluated_again bigint;
alter table if exists history.trend add column if not exists not_evaluated bigint;
alter table if exists baseline.accounts add column if not exists user_name_key varchar;
alter table if exists baseline.accounts add column if not exists unreadable_fields varchar[];
alter table if exists baseline.groups add column if not exists has_unreadable_members boolean;
alter table if exists baseline.register add column if not exists first_seen_snapshot_id varchar;
alter table if exists baseline.register add column if not exists first_seen_at timestamp;
alter table if exists baseline.register add column if not exists due_from_at timestamp;
alter table if exists baseline.register add column if not exists object_type varchar;
alter table if exists baseline.register add column if not exists returned_snapshot_id varchar;
alter table if exists baseline.reports add column if not exists read_at timestamp;
alter table if exists review.campaigns add column if not exists snapshot_items bigint;
alter table if exists review.campaigns add column if not exists snapshot_accounts bigint;
alter table if exists review.items add column if not exists attention integer;
alter table if exists review.items add column if not exists place bigint;
alter table if exists review.items add column if not exists conflict varchar;
alter table if exists review.items add column if not exists title varchar;
alter table if exists review.items add column if not exists department varchar;
alter table if exists review.items add column if not exists manager_email varchar;
alter table if exists review.items add column if not exists allows varchar;
alter table if exists review.items add column if not exists opens varchar;
alter table if exists review.items add column if not exists account_findings varchar;
alter table if exists review.items add column if not exists account_risk varchar;
alter table if exists review.items add column if not exists conflict_with varchar;
alter table if exists review.items add column if not exists card_id varchar;
alter table if exists review.items add column if not exists position bigint;
alter table if exists review.decisions add column if not exists decision_id varchar;
alter table if exists review.decisions add column if not exists method varchar;
alter table if exists review.decisions add column if not exists is_bulk boolean;
alter table if exists review.decisions add column if not exists decided_from varchar;
alter table if exists review.decisions add column if not exists undoes varchar;
alter table if exists review.decisions alter column file_name drop not null;
alter table if exists review.decisions alter column file_sha256 drop not null;

-- Builds of earlier versions did not record when a finding was first seen.
update history.register as register
set
    first_seen_snapshot_id = earliest.snapshot_id, first_seen_at = earliest.as_of, due_from_at = earliest.as_of
from (
    select found.finding_id, snapshots.snapshot_id, snapshots.as_of
    from (select finding_id, min(snapshot_id) as snapshot_id from history.register group by finding_id) as found
    join meta.snapshots as snapshots on snapshots.snapshot_id = found.snapshot_id
) as earliest
where register.first_seen_at is null and earliest.finding_id = register.finding_id;

create table if not exists reference.severities (
    severity varchar not null, position integer not null, days_to_fix integer
);
create table if not exists history.trend (
    build_id varchar not null, snapshot_id varchar not null, as_of timestamp not null, severity varchar not null,
    new bigint, resolved bigint, open bigint, reopened bigint, evaluated_again bigint, not_evaluated bigint
);
-- Builds of earlier versions left their findings, from which the open ones can be counted.
insert into history.trend by name
select
    published.build_id, published.snapshot_id, snapshots.as_of, severities.severity,
    count(register.finding_id) as open
from (select distinct build_id, snapshot_id from history.accounts) as published
join meta.snapshots as snapshots on snapshots.snapshot_id = published.snapshot_id
cross join reference.severities as severities
left join history.register as register on register.snapshot_id = published.snapshot_id
    and register.severity = severities.severity and register.status = 'open'
where published.snapshot_id not in (select snapshot_id from history.trend)
group by published.build_id, published.snapshot_id, snapshots.as_of, severities.severity;
