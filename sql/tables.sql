-- The tables that outlive a build or are filled before one, and the functions that staging uses. Models (the numbered
-- folders) are built from these.
-- Every statement can run again on an existing database, which happens when this file has changed. A change of a table
-- that outlives a build needs a migration too, because 'create table if not exists' leaves an existing table as it is:
-- see sql/README.md. The comments are the catalog's text, one line each; a column that means the same in several tables
-- has it once (pipeline/warehouse/catalog.py).

create schema if not exists meta;
create schema if not exists raw;
create schema if not exists reference;
create schema if not exists policy;
create schema if not exists staging;
create schema if not exists graph;
create schema if not exists findings;
create schema if not exists reports;
create schema if not exists baseline;
create schema if not exists history;
create schema if not exists review;

-- A text without surrounding blanks and invisible characters of any script; null if nothing is left. Besides
-- separators, control and format characters (Z, Cc, Cf), some letters and marks are invisible too and listed here.
create or replace macro trimmed(text) as nullif(regexp_replace(
    text,
    '^[\p{Z}\p{Cc}\p{Cf}\x{034F}\x{115F}\x{1160}\x{2800}\x{3164}\x{FFA0}]+|[\p{Z}\p{Cc}\p{Cf}\x{034F}\x{115F}\x{1160}\x{2800}\x{3164}\x{FFA0}]+$',
    '', 'g'
), '');
-- An address, user name or personal name, normalised for comparison: trimmed, without invisible characters, composed
-- (NFC) and in lower case. Staging keeps the result in columns named ..._key.
-- Nearly all are plain ASCII without anything to remove, which is quicker to see than to remove.
create or replace macro match_key(text) as case
    when regexp_full_match(text, '[!-~]([ -~]*[!-~])?') then lower(text)
    else lower(nfc_normalize(trimmed(
        regexp_replace(text, '[\p{Cc}\p{Cf}\x{034F}\x{115F}\x{1160}\x{2800}\x{3164}\x{FFA0}]+', '', 'g')
    )))
end;

-- A number with its noun in the singular or plural: 1 day, 2 days.
create or replace macro grouped(number) as format('{:,}', cast(number as bigint));
create or replace macro counted(number, noun) as grouped(number) || ' ' || noun || case when number = 1 then '' else 's' end;

-- An id in a record is text or a number. A list, object or boolean reaches SQL as JSON text, which is not an id.
create or replace macro is_usable_id(id) as id <> '' and left(id, 1) not in ('{', '[') and id not in ('true', 'false');

-- A list of one, because a macro repeats its argument: in a case, a record with a million members would be read five times.
create or replace macro usable_id(text) as list_filter([text], lambda id: is_usable_id(id))[1];

-- The permissions of a role as JSON; null if there are none or they cannot be read. Some servers send them as text.
create or replace macro manifest_json(manifest) as case
    when json_type(manifest) = 'VARCHAR' then case
        when json_type(try_cast(manifest ->> '$' as json)) <> 'NULL' then try_cast(manifest ->> '$' as json)
    end
    when json_type(manifest) <> 'NULL' then manifest
end;

-- The list of objects that a completeness check is about, which the check's id begins with; empty for other checks.
-- seats_agree compares counts, which says nothing of how the list was read.
create or replace macro object_list(check_id) as case when check_id <> 'seats_agree' then regexp_extract(
    check_id, '^(dashboards|models|row_rules|folders|seats|sign_on|mailed_reports|tenants)_', 1
) else '' end;

-- What one check says of how its list was read: FULL, NOT_AVAILABLE or PARTIAL. The worst of a list's checks is its
-- state, and it is the last of them in the alphabet, so max() finds it.
create or replace macro object_check_state(check_id, result) as case
    when result = 'FAIL' then 'PARTIAL'
    when result = 'NOT_AVAILABLE' and check_id = object_list(check_id) || '_read' then 'NOT_AVAILABLE'
    else 'FULL'
end;

-- meta: snapshots, their completeness checks and builds -------------------------------------------------------

create table if not exists meta.tables_sql (sha256 varchar not null, columns_md5 varchar not null);
comment on table meta.tables_sql is 'The version of the lasting tables: one row.';
comment on column meta.tables_sql.sha256 is 'hash of the tables.sql that made them';
comment on column meta.tables_sql.columns_md5 is 'hash of their columns at that time';

create table if not exists meta.schema_version (
    version integer primary key,
    applied_at timestamp not null,
    tool_version varchar not null
);
comment on table meta.schema_version is 'One version of the lasting tables that this database has had; the highest number is the present one.';
comment on column meta.schema_version.version is 'number of the version: that of the newest file in sql/migrations when the database was made or upgraded';
comment on column meta.schema_version.applied_at is 'when the database got this version';
comment on column meta.schema_version.tool_version is 'version of the program that did it';

create table if not exists meta.snapshots (
    snapshot_id varchar primary key,
    started_at timestamp not null,
    finished_at timestamp not null,
    as_of timestamp not null,
    completeness varchar not null,
    reason varchar,
    tool_version varchar not null,
    config_sha256 varchar not null,
    previous_snapshot_id varchar,
    pruned_at timestamp
);
comment on table meta.snapshots is 'One extract: when it ran, whether it is proven complete (FULL, PARTIAL or UNKNOWN), and why not.';
comment on column meta.snapshots.snapshot_id is 'id of the snapshot: start of the extract in UTC and four hex digits';
comment on column meta.snapshots.started_at is 'when the extract began, UTC';
comment on column meta.snapshots.finished_at is 'when the extract ended, UTC';
comment on column meta.snapshots.as_of is 'the moment accounts are evaluated as of unless a build sets another, UTC';
comment on column meta.snapshots.completeness is 'FULL, PARTIAL or UNKNOWN';
comment on column meta.snapshots.reason is 'why the extract is not FULL; null if it is';
comment on column meta.snapshots.tool_version is 'version of the program that made the extract';
comment on column meta.snapshots.config_sha256 is 'hash of the configuration file';
comment on column meta.snapshots.previous_snapshot_id is 'the snapshot before this one';
comment on column meta.snapshots.pruned_at is 'when its rows in raw and history were deleted, UTC; null if they were not';

create table if not exists meta.sources (
    snapshot_id varchar not null,
    source varchar not null,
    kind varchar not null,
    url varchar not null,
    api varchar,
    version varchar,
    principal_user_name varchar,
    principal_account_id varchar,
    principal_role_id varchar,
    principal_role_name varchar,
    users_before bigint,
    users_after bigint,
    clock_skew_seconds double,
    settings json,
    missing json,
    started_at timestamp,
    finished_at timestamp,
    error varchar,
    primary key (snapshot_id, source)
);
comment on table meta.sources is 'One source of one extract: its kind, the account that read it, and the totals it reported.';
comment on column meta.sources.source is 'the source''s name in the configuration';
comment on column meta.sources.kind is 'sisense, scim, okta, entra or files';
comment on column meta.sources.url is 'address of the source';
comment on column meta.sources.api is 'the API that answered';
comment on column meta.sources.version is 'version that the source reported';
comment on column meta.sources.principal_user_name is 'user name of the account that read it';
comment on column meta.sources.principal_account_id is 'id of the account that read it';
comment on column meta.sources.principal_role_id is 'role id of the account that read it';
comment on column meta.sources.principal_role_name is 'role of the account that read it';
comment on column meta.sources.users_before is 'the server''s own count of users before the extract';
comment on column meta.sources.users_after is 'the server''s own count of users after the extract';
comment on column meta.sources.clock_skew_seconds is 'seconds that the sources clock is ahead of this machines; negative if behind';
comment on column meta.sources.settings is 'settings of the extract, without secrets';
comment on column meta.sources.missing is 'endpoints and fields that the source does not have';
comment on column meta.sources.error is 'why the source failed; null if it did not';

create table if not exists meta.pages (
    snapshot_id varchar not null,
    source varchar not null,
    resource varchar not null,
    sweep integer not null,
    page integer not null,
    "offset" bigint,
    url varchar not null,
    status integer not null,
    items bigint not null,
    bytes bigint not null,
    sha256 varchar not null,
    redacted_sha256 varchar,
    started_at timestamp not null,
    fetched_at timestamp not null,
    elapsed_ms bigint not null,
    attempts integer not null,
    is_accepted boolean not null
);
comment on table meta.pages is 'One request to a source and its response, with the hash of the original bytes.';
comment on column meta.pages.resource is 'requested resource: users, roles, groups and so on';
comment on column meta.pages.sweep is 'number of the pass over the whole list, from 1';
comment on column meta.pages.page is 'number of the page in the sweep, from 1';
comment on column meta.pages."offset" is 'number of records skipped by the request';
comment on column meta.pages.url is 'the request, without secrets';
comment on column meta.pages.status is 'HTTP status of the response';
comment on column meta.pages.items is 'records in the response, without a first record that repeats the end of the previous page';
comment on column meta.pages.bytes is 'size of the response in bytes';
comment on column meta.pages.sha256 is 'hash of the original bytes';
comment on column meta.pages.redacted_sha256 is 'hash of the stored bytes, if secrets were removed';
comment on column meta.pages.fetched_at is 'when the response had arrived, UTC';
comment on column meta.pages.elapsed_ms is 'duration of the request in milliseconds';
comment on column meta.pages.attempts is 'number of attempts';
comment on column meta.pages.is_accepted is 'the sweep was accepted; rows of other sweeps are kept as evidence';

create table if not exists meta.shards (
    snapshot_id varchar not null,
    source varchar not null,
    number integer not null,
    shard_count integer not null,
    part_snapshot_id varchar not null,
    first_id varchar,
    last_id varchar,
    pages_before integer not null,
    users_before bigint,
    users_after bigint,
    started_at timestamp,
    finished_at timestamp,
    error varchar,
    failed_checks varchar,
    primary key (snapshot_id, source, number)
);
comment on table meta.shards is 'One part of a merged snapshot: a shard of a source, or a source that was read whole.';
comment on column meta.shards.number is 'number of the shard, from 1';
comment on column meta.shards.shard_count is 'how many shards the source was read in; 0 if it was read whole';
comment on column meta.shards.part_snapshot_id is 'the snapshot that the part was merged from';
comment on column meta.shards.first_id is 'first account id of the shard';
comment on column meta.shards.last_id is 'last account id of the shard';
comment on column meta.shards.pages_before is 'number of the last page before those of this part';
comment on column meta.shards.failed_checks is 'gate checks that the part failed by itself; null if none';

create table if not exists meta.reconciliation (
    snapshot_id varchar not null,
    check_id varchar not null,
    source varchar not null,
    description varchar not null,
    expected varchar,
    observed varchar,
    difference bigint,
    result varchar not null,
    explanation varchar not null,
    is_gate boolean not null
);
comment on table meta.reconciliation is 'One completeness check of one extract. A gate check that fails makes the extract PARTIAL.';
comment on column meta.reconciliation.check_id is 'id of the check';
comment on column meta.reconciliation.description is 'the statement that is checked';
comment on column meta.reconciliation.expected is 'expected value';
comment on column meta.reconciliation.observed is 'observed value';
comment on column meta.reconciliation.difference is 'size of the difference; null if it is not a number';
comment on column meta.reconciliation.result is 'PASS, FAIL or NOT_AVAILABLE';
comment on column meta.reconciliation.explanation is 'explanation of the result';
comment on column meta.reconciliation.is_gate is 'a failure makes the extract PARTIAL';

create table if not exists meta.builds (
    build_id varchar primary key,
    snapshot_id varchar not null,
    as_of timestamp not null,
    baseline_snapshot_id varchar,
    folder varchar not null,
    parameters json not null,
    policy_sha256 varchar not null,
    reference_sha256 varchar not null,
    roster_sha256 varchar,
    sql_sha256 varchar not null,
    tool_version varchar not null,
    roster_file varchar
);
comment on table meta.builds is 'One build. Its id is a hash of everything that the reports of the snapshot depend on.';
comment on column meta.builds.as_of is 'the moment accounts were evaluated as of, UTC';
comment on column meta.builds.build_id is 'hash of everything the build depends on';
comment on column meta.builds.baseline_snapshot_id is 'the snapshot compared with; null if none';
comment on column meta.builds.folder is 'name of the report folder';
comment on column meta.builds.parameters is 'parameters in force for the organisation and every rule';
comment on column meta.builds.policy_sha256 is 'hash of the policy files';
comment on column meta.builds.reference_sha256 is 'hash of the default policy and reference lists';
comment on column meta.builds.roster_sha256 is 'hash of the roster file, or of the people read from an identity provider';
comment on column meta.builds.sql_sha256 is 'hash of the SQL';
comment on column meta.builds.roster_file is 'name of the roster file, or source and the name of the identity provider';

create table if not exists meta.made_from (
    table_name varchar not null,
    snapshot_id varchar,
    build_id varchar not null,
    identity varchar not null,
    row_count bigint,
    columns_md5 varchar,
    warnings varchar[] not null
);
comment on table meta.made_from is 'What one table of the current build was made from, or the rows of one snapshot in a table of history.';
comment on column meta.made_from.table_name is 'the table, with its schema';
comment on column meta.made_from.snapshot_id is 'the snapshot whose rows of history these are; null for a table of the current build';
comment on column meta.made_from.build_id is 'the build that has the rows now';
comment on column meta.made_from.identity is 'hash of everything that the rows depend on; while it stays the same, a build keeps them';
comment on column meta.made_from.row_count is 'number of rows; null if it may change between builds';
comment on column meta.made_from.columns_md5 is 'hash of the names and types of its columns; null for rows of history';
comment on column meta.made_from.warnings is 'warnings of the checks of the table';

create table if not exists meta.rule_runs (
    build_id varchar not null,
    rule_id varchar not null,
    is_enabled boolean not null,
    parameters varchar not null,
    population bigint,
    failed bigint,
    unknown bigint,
    passed bigint,
    sql_sha256 varchar not null
);
comment on table meta.rule_runs is 'The counts of one rule in one build.';
comment on column meta.rule_runs.rule_id is 'the rule, which is the name of its file';
comment on column meta.rule_runs.is_enabled is 'the rule was enabled';
comment on column meta.rule_runs.parameters is 'parameters of the rule in force, as text';
comment on column meta.rule_runs.population is 'number of subjects that the rule examined';
comment on column meta.rule_runs.failed is 'number of subjects that failed';
comment on column meta.rule_runs.unknown is 'number of subjects that were not evaluated';
comment on column meta.rule_runs.passed is 'number of subjects that passed';

create table if not exists meta.reports (
    snapshot_id varchar not null,
    build_id varchar not null,
    data_sha256 varchar not null,
    manifest_sha256 varchar not null,
    previous_manifest_sha256 varchar,
    written_at timestamp not null
);
comment on table meta.reports is 'One sealed report: the hash of its manifest, and of the previous manifest in the chain.';
comment on column meta.reports.data_sha256 is 'hash of the data files of the report';
comment on column meta.reports.manifest_sha256 is 'hash of the manifest';
comment on column meta.reports.previous_manifest_sha256 is 'hash of the manifest of the report before this one';
comment on column meta.reports.written_at is 'when it was last written, UTC';

-- raw: the source rows as they came, secrets left out ---------------------------------------------------------

create table if not exists raw.users (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null using compression zstd
);
comment on table raw.users is 'One user record, as the source returned it. Rows of sweeps that were not accepted are kept as evidence.';
comment on column raw.users.snapshot_id is 'the snapshot';
comment on column raw.users.source is 'the source''s name in the configuration';
comment on column raw.users.sweep is 'number of the pass over the whole list, from 1';
comment on column raw.users.page is 'number of the page in the sweep, from 1';
comment on column raw.users.ordinal is 'position in the page, from 1';
comment on column raw.users.is_accepted is 'the sweep was accepted; rows of other sweeps are kept as evidence';
comment on column raw.users.fetched_at is 'when the response had arrived, UTC';
comment on column raw.users.payload is 'the record, without secrets';
create table if not exists raw.roles (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.roles is 'One role record, as the source returned it.';
create table if not exists raw.groups (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null using compression zstd
);
comment on table raw.groups is 'One group record with its members, as the source returned it.';
create table if not exists raw.scim_users (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.scim_users is 'One user record, as a SCIM endpoint returned it.';
create table if not exists raw.scim_groups (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.scim_groups is 'One group record with its members, as a SCIM endpoint returned it.';
create table if not exists raw.directory_users (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.directory_users is 'One user record of a directory, with the columns that are needed.';
create table if not exists raw.directory_groups (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.directory_groups is 'One group record of a directory, with the columns that are needed.';
create table if not exists raw.directory_members (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.directory_members is 'One member of one group of a directory.';
create table if not exists raw.directory_assignments (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.directory_assignments is 'One assignment of a user or group of a directory to the application under review.';
create table if not exists raw.dashboards (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.dashboards is 'One dashboard with its shares, as the source returned it: named keys only.';
create table if not exists raw.folders (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.folders is 'One folder of dashboards, as the source returned it: named keys only.';
create table if not exists raw.models (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.models is 'One data model with its shares, as the source returned it: named keys only.';
create table if not exists raw.row_rules (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.row_rules is 'One row rule. Its values are a count and keyed hashes.';
create table if not exists raw.posture (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.posture is 'Seats, or settings of single sign-on or lockout, as the source returned them: named keys only.';
create table if not exists raw.mailed_reports (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.mailed_reports is 'One report that the source sends by mail, with its recipients: named keys only.';
create table if not exists raw.tenants (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.tenants is 'One tenant: named keys only.';
create table if not exists raw.file_accounts (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.file_accounts is 'One account of an application that is read from files: known columns only.';
create table if not exists raw.file_entitlements (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.file_entitlements is 'One role, group or permission of an application that is read from files: known columns only.';
create table if not exists raw.file_grants (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.file_grants is 'One account that holds one entitlement, in an application that is read from files: known columns only.';

-- reference and policy: replaced in every build ----------------------------------------------------------------

create table if not exists reference.snapshot (
    snapshot_id varchar not null,
    build_id varchar not null,
    folder varchar not null,
    organization varchar not null,
    as_of timestamp not null,
    started_at timestamp not null,
    finished_at timestamp not null,
    completeness varchar not null,
    reason varchar,
    tool_version varchar not null,
    baseline_snapshot_id varchar
);
comment on table reference.snapshot is 'One row: the snapshot of the current build and its organisation.';
comment on column reference.snapshot.as_of is 'the moment accounts were evaluated as of, UTC';
comment on column reference.snapshot.organization is 'name of the organisation';

create table if not exists reference.severities (severity varchar not null, position integer not null, days_to_fix integer);
comment on table reference.severities is 'The severities of findings, most severe first.';
comment on column reference.severities.severity is 'critical, high, medium, low or info';
comment on column reference.severities.position is 'position in the order of severities, from 1 for critical';
comment on column reference.severities.days_to_fix is 'days from first seen to due, as [due_days] says; null for no limit';
create table if not exists reference.rank_levels (level varchar not null, minimum_rank integer not null, seat_class varchar not null);
comment on table reference.rank_levels is 'The levels of role ranks. A role has the highest level whose minimum rank it reaches.';
comment on column reference.rank_levels.level is 'viewer, designer, data_designer, data_admin, tenant_admin, admin or super';
comment on column reference.rank_levels.minimum_rank is 'lowest rank of the level, 0 to 100';
comment on column reference.rank_levels.seat_class is 'licence seat of the level: admin, designer or viewer';
create table if not exists reference.role_reach (level varchar not null, object_type varchar not null, access varchar not null);
comment on table reference.role_reach is 'What a role reaches by itself, without a share: every object of a type.';
comment on column reference.role_reach.level is 'level of the role in reference.rank_levels';
comment on column reference.role_reach.object_type is 'dashboard or model';
comment on column reference.role_reach.access is 'what the role may do with them: edit';
create table if not exists reference.sensitivities (sensitivity varchar not null, is_sensitive boolean not null);
comment on table reference.sensitivities is 'The usual labels of objects.csv. A label that is not listed counts as sensitive.';
comment on column reference.sensitivities.sensitivity is 'the label, in lower case';
comment on column reference.sensitivities.is_sensitive is 'objects with the label are sensitive';
create table if not exists reference.role_names (
    role_name varchar not null, display_name varchar not null, level varchar
);
comment on table reference.role_names is 'The built-in roles, with the name in the API and the name shown to people.';
comment on column reference.role_names.role_name is 'name in the API';
comment on column reference.role_names.display_name is 'name shown to people';
comment on column reference.role_names.level is 'its level in reference.rank_levels, whatever rank the policy gives it; the level decides the class of seat';
create table if not exists reference.builtin_groups (group_name varchar not null, is_everyone boolean not null);
comment on table reference.builtin_groups is 'The groups that every instance has.';
comment on column reference.builtin_groups.group_name is 'name of the group';
comment on column reference.builtin_groups.is_everyone is 'the group has all accounts as members';
create table if not exists reference.permission_types (permission_type varchar not null, privileged boolean not null);
comment on table reference.permission_types is 'The types of permissions in files of the Open Authorization API. The privilege of a permission of another type is not known.';
comment on column reference.permission_types.permission_type is 'name of the type';
comment on column reference.permission_types.privileged is 'a permission of the type can change or delete something';
create table if not exists reference.shared_names (local_part varchar not null);
comment on table reference.shared_names is 'Local parts of e-mail addresses and user names that stand for a function, not a person.';
comment on column reference.shared_names.local_part is 'the part before the @, in lower case';
create table if not exists reference.freemail_domains (email_domain varchar not null);
comment on table reference.freemail_domains is 'Domains where anyone can get an e-mail address.';
comment on column reference.freemail_domains.email_domain is 'the domain, in lower case';
create table if not exists reference.management_permissions (area varchar not null, verb_prefix varchar not null);
comment on table reference.management_permissions is 'Areas and verbs of role manifests that allow managing users, groups or tenants.';
comment on column reference.management_permissions.area is 'area of a role''s manifest';
comment on column reference.management_permissions.verb_prefix is 'prefix of the names of these permissions';

create table if not exists reference.rules (
    rule_id varchar not null, severity varchar not null, is_per_person boolean, is_per_role boolean,
    is_per_object boolean, needs varchar, recommendation varchar, marks varchar, reason varchar, comes_first boolean,
    deactivates boolean, risk_factor varchar, risk_likelihood integer, headline varchar, event varchar,
    compares varchar, event_when_used boolean
);
comment on table reference.rules is 'One rule as it is in force, with the effects that its header declares.';
comment on column reference.rules.recommendation is 'what its findings suggest for access: keep, remove, reduce or investigate; null for nothing';
comment on column reference.rules.marks is 'which access that applies to: all of the account, or only its role, group or object';
comment on column reference.rules.reason is 'why, as a sentence for reviewers';
comment on column reference.rules.comes_first is 'the recommendation overrides every other one, for built-in groups too';
comment on column reference.rules.deactivates is 'a remediation plan may deactivate the accounts that it finds';
comment on column reference.rules.risk_factor is 'what its findings are a sign of; each factor counts once in an account''s risk score';
comment on column reference.rules.risk_likelihood is 'what the factor adds to the likelihood, from 0 up';
comment on column reference.rules.headline is 'the number of the management summary that counts its findings';
comment on column reference.rules.event is 'the kind of event when an account with a finding is newly found';
comment on column reference.rules.event_when_used is 'the event comes again when the account is used again';
comment on column reference.rules.compares is 'role or group: the comparison with peers that its parameters min_peers and rare_share govern';
comment on column reference.rules.severity is 'severity in force where a finding has none of its own: critical, high, medium, low or info';
comment on column reference.rules.is_per_role is 'its findings are about roles';
comment on column reference.rules.is_per_object is 'its findings are about dashboards or data models';
comment on column reference.rules.needs is 'the input without which it is not evaluated: roster, baseline, campaign, provider or objects';
comment on column reference.rules.is_per_person is 'its findings are about people, not about accounts or groups';
create table if not exists reference.rule_parameters (rule_id varchar not null, parameter varchar not null, value double not null);
comment on table reference.rule_parameters is 'The numeric parameters, as they are in force, of each rule that compares an account with its peers.';
comment on column reference.rule_parameters.parameter is 'its name in the configuration';
comment on column reference.rule_parameters.value is 'its value in force';

create table if not exists policy.cadence (scope varchar not null, months integer not null);
comment on table policy.cadence is 'How often access is to be reviewed: one review in each month, quarter or year.';
comment on column policy.cadence.scope is 'privileged, external or all';
comment on column policy.cadence.months is 'length of the period in months: 1, 3 or 12';
create table if not exists policy.licence_prices (seat_class varchar not null, price decimal(12, 2) not null, currency varchar not null);
comment on table policy.licence_prices is 'What one seat costs, as the configuration says. Sums of these prices are estimates.';
comment on column policy.licence_prices.seat_class is 'admin, designer or viewer';
comment on column policy.licence_prices.price is 'price of one seat, for whatever time it is paid';
comment on column policy.licence_prices.currency is 'currency of the price';
create table if not exists policy.default_owner (owner_email varchar not null);
comment on table policy.default_owner is 'Who is responsible for findings that have no other owner, as the configuration says. Empty if it names none.';
comment on column policy.default_owner.owner_email is 'e-mail address, in lower case';
create table if not exists policy.email_domains (email_domain varchar not null);
comment on table policy.email_domains is 'The e-mail domains of the organisation. Every other domain is external.';
comment on column policy.email_domains.email_domain is 'the domain, in lower case';
create table if not exists policy.roles (
    role_name varchar not null, rank integer not null, privileged boolean not null, line integer,
    is_default boolean not null, source varchar
);
comment on table policy.roles is 'The rank of each role, 0 to 100, and whether it is privileged.';
comment on column policy.roles.source is 'the source that the line applies to; null for all';
comment on column policy.roles.role_name is 'name of the role, in the API or as shown to people';
comment on column policy.roles.rank is 'rank of the role, 0 to 100; higher roles may do more';
comment on column policy.roles.privileged is 'accounts with the role are privileged';
comment on column policy.roles.line is 'line of the file, from 1';
comment on column policy.roles.is_default is 'the line is a default of the program';
create table if not exists policy.privileged_groups (group_name varchar not null, line integer, is_default boolean not null);
comment on table policy.privileged_groups is 'Groups whose members count as privileged.';
comment on column policy.privileged_groups.group_name is 'the group''s name';
create table if not exists policy.service_accounts (user_name varchar, email varchar, owner_email varchar, purpose varchar, review_by date, line integer, is_default boolean not null);
comment on table policy.service_accounts is 'Registered service accounts, with owner, purpose and review date.';
comment on column policy.service_accounts.user_name is 'the account''s user name';
comment on column policy.service_accounts.email is 'the account''s e-mail address';
comment on column policy.service_accounts.owner_email is 'e-mail address of the account''s owner';
comment on column policy.service_accounts.purpose is 'purpose of the account';
comment on column policy.service_accounts.review_by is 'day the account is due for review';
create table if not exists policy.break_glass (user_name varchar, email varchar, owner_email varchar, purpose varchar, line integer, is_default boolean not null);
comment on table policy.break_glass is 'Registered break-glass (emergency) accounts.';
create table if not exists policy.sod_pairs (left_type varchar not null, left_name varchar not null, right_type varchar not null, right_name varchar not null, reason varchar, line integer, is_default boolean not null);
comment on table policy.sod_pairs is 'Pairs of roles or groups that one person must not hold together (segregation of duties).';
comment on column policy.sod_pairs.left_type is 'role or group; or source and type of one application, joined by a colon';
comment on column policy.sod_pairs.left_name is 'name of the first role or group';
comment on column policy.sod_pairs.right_type is 'role or group';
comment on column policy.sod_pairs.right_name is 'name of the second role or group';
comment on column policy.sod_pairs.reason is 'why one person must not hold both';
create table if not exists policy.exceptions (rule_id varchar not null, source varchar, subject varchar not null, reason varchar not null, approved_by varchar not null, expires_on date not null, line integer, is_default boolean not null);
comment on table policy.exceptions is 'Findings accepted as a risk, with reason, approver and expiry.';
comment on column policy.exceptions.rule_id is 'the rule, which is the name of its file';
comment on column policy.exceptions.source is 'the source that the line applies to; null for all';
comment on column policy.exceptions.subject is 'subject of the line: id, user name, e-mail address or name';
comment on column policy.exceptions.reason is 'the reason given';
comment on column policy.exceptions.approved_by is 'the person who approved it';
comment on column policy.exceptions.expires_on is 'last day on which it applies';
create table if not exists policy.out_of_scope (source varchar, subject varchar not null, reason varchar not null, approved_by varchar not null, line integer, is_default boolean not null);
comment on table policy.out_of_scope is 'Accounts left out of the review, with reason and approver. They stay in the population.';
create table if not exists policy.owners (entitlement_type varchar not null, entitlement_name varchar not null, reviewer_email varchar not null, line integer, is_default boolean not null);
comment on table policy.owners is 'The reviewer of a role or group.';
comment on column policy.owners.entitlement_type is 'role or group; or source and type of one application, joined by a colon';
comment on column policy.owners.entitlement_name is 'name of the role or group';
comment on column policy.owners.reviewer_email is 'e-mail address of the reviewer';
create table if not exists policy.objects (source varchar, object_type varchar, object varchar not null, sensitivity varchar not null, owner_email varchar, line integer, is_default boolean not null);
comment on table policy.objects is 'How sensitive dashboards, data models and folders are, and who is responsible for them.';
comment on column policy.objects.source is 'the source that the line applies to; null for all';
comment on column policy.objects.object_type is 'dashboard, model or folder; null for all';
comment on column policy.objects.object is 'id of the object, or its exact title; a title marks every object that has it';
comment on column policy.objects.sensitivity is 'the label, as the line gives it';
comment on column policy.objects.owner_email is 'e-mail address of the person responsible for the object''s data';
create table if not exists policy.roster (
    person_id varchar not null, email varchar not null, aliases varchar[] not null, display_name varchar,
    manager_email varchar, department varchar, title varchar, employment_status varchar, start_date date,
    end_date date, person_type varchar, "row" bigint not null
);
comment on table policy.roster is 'The people in the roster file or in the identity provider.';
comment on column policy.roster.person_id is 'the person';
comment on column policy.roster.email is 'main e-mail address';
comment on column policy.roster.aliases is 'other e-mail addresses';
comment on column policy.roster.display_name is 'full name';
comment on column policy.roster.manager_email is 'e-mail address of the manager';
comment on column policy.roster.department is 'department';
comment on column policy.roster.title is 'job title';
comment on column policy.roster.employment_status is 'active, leave or ended';
comment on column policy.roster.start_date is 'first day of employment';
comment on column policy.roster.end_date is 'last day of employment; null if none is set';
comment on column policy.roster.person_type is 'employee, contractor or service';
comment on column policy.roster."row" is 'number of the record in the file, from 1';

-- findings: tables over all rules, which the builder fills in every build -------------------------------------

create table if not exists findings.failed (
    finding_id varchar not null, rule_id varchar not null, severity varchar, source varchar,
    subject_type varchar not null, subject_id varchar not null, account_id varchar, detail varchar,
    observed_value varchar, threshold varchar, evidence json, excused_rule_id varchar, object_type varchar
);
comment on table findings.failed is 'One failed row of any rule, before exceptions and earlier findings are looked up.';
create table if not exists findings.unknown_subjects (
    rule_id varchar not null, source varchar not null, subject_type varchar not null, subject_id varchar not null
);
comment on table findings.unknown_subjects is 'One subject that a rule could not evaluate and had found earlier: it may still have the finding.';
comment on column findings.unknown_subjects.source is 'the source''s name in the configuration; empty for a person';
create table if not exists findings.rule_summary (
    rule_id varchar not null, title varchar not null, summary varchar not null, severity varchar not null,
    enabled boolean not null, parameters varchar not null, population bigint, failed bigint, unknown bigint,
    passed bigint, controls varchar not null, remediation varchar not null, sql_sha256 varchar not null
);
comment on table findings.rule_summary is 'One rule and its counts: population = passed + failed + unknown. The counts are null if the rule is disabled.';

-- history: every published build; baseline: the one compared with ---------------------------------------------

create table if not exists history.accounts (
    build_id varchar not null, snapshot_id varchar not null, source varchar not null, account_id varchar not null,
    user_name varchar, email varchar, display_name varchar, status varchar not null, role_id varchar, role_rank integer,
    privileged boolean not null, last_seen_at timestamp, person_id varchar, "groups" varchar,
    unreadable_fields varchar[]
);
comment on table history.accounts is 'The accounts of every published build.';
create table if not exists history.roles (
    build_id varchar not null, snapshot_id varchar not null, source varchar not null, role_id varchar not null,
    role_name varchar, role_display_name varchar, role_rank integer, privileged boolean not null
);
comment on table history.roles is 'The roles of every published build.';
create table if not exists history.groups (
    build_id varchar not null, snapshot_id varchar not null, source varchar not null, group_id varchar not null,
    group_name varchar, role_id varchar, is_builtin boolean not null, member_count bigint not null,
    carries_privileged boolean, is_listed_privileged boolean not null, has_unreadable_members boolean
);
comment on table history.groups is 'The groups of every published build.';
create table if not exists history.memberships (
    build_id varchar not null, snapshot_id varchar not null, source varchar not null, account_id varchar not null,
    group_id varchar not null, seen_in varchar not null
);
comment on table history.memberships is 'The group memberships of every published build.';
create table if not exists history.grants (
    build_id varchar not null, snapshot_id varchar not null, source varchar not null, account_id varchar not null,
    entitlement_type varchar not null, entitlement_id varchar not null, grant_type varchar not null,
    granted_via_group_id varchar
);
comment on table history.grants is 'The roles and groups that accounts held in every published build.';
create table if not exists history.register (
    build_id varchar not null, snapshot_id varchar not null, finding_id varchar not null, rule_id varchar not null,
    severity varchar not null, source varchar, subject_type varchar not null, subject_id varchar not null, account_id varchar, status varchar not null,
    first_seen_snapshot_id varchar, first_seen_at timestamp, due_from_at timestamp, object_type varchar,
    returned_snapshot_id varchar
);
comment on table history.register is 'The findings of every published build.';
comment on column history.register.due_from_at is 'when the time to fix the finding began, UTC';
comment on column history.register.returned_snapshot_id is 'the snapshot in which it last came back after it was gone; null if it never was';
comment on column history.register.object_type is 'dashboard, model or folder; null unless the finding is about one';

create table if not exists history.evaluations (
    build_id varchar not null, snapshot_id varchar not null, finished_at timestamp not null, rule_id varchar not null,
    source varchar not null, object_type varchar not null, is_conclusive boolean not null
);
comment on table history.evaluations is 'Whether a finding that a published build does not have was resolved by then, for each rule and source.';
comment on column history.evaluations.source is 'the source''s name in the configuration; empty for findings about people';
comment on column history.evaluations.object_type is 'of a rule about objects: dashboard, model or folder; else empty';
comment on column history.evaluations.is_conclusive is 'the snapshot was complete and the rule was evaluated';
create table if not exists history.unknown_subjects (
    build_id varchar not null, snapshot_id varchar not null, rule_id varchar not null, source varchar not null,
    subject_type varchar not null, subject_id varchar not null
);
comment on table history.unknown_subjects is 'The subjects that a rule of a published build could not evaluate and had found earlier.';
comment on column history.unknown_subjects.source is 'the source''s name in the configuration; empty for a person';

create table if not exists history.trend (
    build_id varchar not null, snapshot_id varchar not null, as_of timestamp not null, severity varchar not null,
    new bigint, resolved bigint, open bigint, reopened bigint, evaluated_again bigint, not_evaluated bigint
);
comment on table history.trend is 'The findings of every published build by severity, and what had changed since the report before it. Never pruned.';
comment on column history.trend.as_of is 'the moment the rules were evaluated as of, UTC';
comment on column history.trend.new is 'open findings that no earlier snapshot had; null if not known';
comment on column history.trend.resolved is 'findings that the report before had as open and that were gone, accepted or out of scope; null if not known';
comment on column history.trend.open is 'open findings';
comment on column history.trend.reopened is 'open findings that the report before did not have as open, and that an earlier snapshot had; null if not known';
comment on column history.trend.evaluated_again is 'open findings that the report before did not have, although an earlier snapshot did: it could not evaluate them; null if not known';
comment on column history.trend.not_evaluated is 'findings that the report before had as open and that this snapshot could not evaluate; null if not known';
create table if not exists history.trend_figures (
    build_id varchar not null, snapshot_id varchar not null, as_of timestamp not null, figure varchar not null,
    value double
);
comment on table history.trend_figures is 'The figures of every published build that reports show over time. Never pruned.';
comment on column history.trend_figures.as_of is 'the moment the rules were evaluated as of, UTC';
comment on column history.trend_figures.figure is 'privileged_accounts, stale_accounts, approved_percent, removed_percent or median_days_to_fix';
comment on column history.trend_figures.value is 'its value; null if it is not known';

create table if not exists history.events (
    position bigint primary key, event_id varchar not null unique, kind varchar not null, source varchar not null,
    account_id varchar not null, user_name varchar, email varchar, display_name varchar, field varchar not null,
    old_value varchar, new_value varchar, old_label varchar, new_label varchar, state varchar,
    privileged_effect varchar not null, previous_snapshot_id varchar not null, snapshot_id varchar not null,
    happened_after timestamp not null, detected_at timestamp not null
);
comment on table history.events is 'One change that watch found between two complete extracts. Rows are appended, never changed; snapshots prune deletes old ones.';
comment on column history.events.position is 'position in the log, without gaps; from 1 until old events are pruned';
comment on column history.events.event_id is 'hash of the two snapshots and the change, so the same change always has the same id';
comment on column history.events.kind is 'joiner, mover, leaver, privilege_gained, privilege_lost, activated, deactivated, reactivated, status_changed, changed, group_added, group_removed, active_leaver or login_after_end';
comment on column history.events.user_name is 'user name, after the change';
comment on column history.events.email is 'e-mail address, after the change';
comment on column history.events.display_name is 'display name of the account, after the change';
comment on column history.events.field is 'what changed: account, status, role, privileged, group, user_name, email, display_name, last_seen_at or finding';
comment on column history.events.old_value is 'value before the change; roles and groups by id';
comment on column history.events.new_value is 'value after the change; roles and groups by id';
comment on column history.events.old_label is 'name of the value before the change';
comment on column history.events.new_label is 'name of the value after the change';
comment on column history.events.state is 'for joiners and leavers, JSON with user_name, email, display_name, status and role_id';
comment on column history.events.privileged_effect is 'gained, lost, raised, lowered or none';
comment on column history.events.previous_snapshot_id is 'the snapshot compared with';
comment on column history.events.happened_after is 'start of the extract compared with, UTC; the change happened later';
comment on column history.events.detected_at is 'end of the extract that showed the change, UTC';

create table if not exists meta.watched (
    snapshot_id varchar not null, source varchar not null, previous_snapshot_id varchar, is_compared boolean not null,
    events bigint not null, recorded_at timestamp not null, primary key (snapshot_id, source)
);
comment on table meta.watched is 'One source of one extract by watch. The log of a source begins with the first extract that read it whole.';
comment on column meta.watched.previous_snapshot_id is 'the snapshot compared with; null for the first, or if nothing was compared';
comment on column meta.watched.is_compared is 'the source was read whole, so it was compared or begins the log';
comment on column meta.watched.events is 'number of events found';
comment on column meta.watched.recorded_at is 'when the comparison was recorded, UTC';

-- The end of each source's chain of comparisons. Ids and times follow the machine's clock, which may be set back; the
-- chain does not.
create or replace view meta.last_compared as
select source, snapshot_id, recorded_at
from meta.watched as latest
where is_compared and not exists (
    select 1 from meta.watched as later
    where later.source = latest.source and later.previous_snapshot_id = latest.snapshot_id
);
comment on view meta.last_compared is 'The snapshot of each source that ''watch'' compared last: the next complete one is compared with it.';
comment on column meta.last_compared.recorded_at is 'when that comparison was written down, UTC';

-- A caller whose role cannot be read counts as seeing every account only where the source's own count agrees. Okta
-- counts nothing: there, two readings that agree take the place of the count.
create or replace view meta.incomplete_sources as
select snapshot_id, source, 1 as step, '' as check_id, error as reason from meta.sources where error <> ''
union all
select snapshot_id, source, 2, check_id, explanation from meta.reconciliation where is_gate and result = 'FAIL'
union all
select caller.snapshot_id, caller.source, 3, '', caller.explanation
from meta.reconciliation as caller
where
    caller.check_id = 'caller_sees_everyone' and caller.result = 'NOT_AVAILABLE'
    and not exists (
        select 1 from meta.reconciliation as counted
        join meta.sources as sources
            on sources.snapshot_id = counted.snapshot_id and sources.source = counted.source
        where
            counted.snapshot_id = caller.snapshot_id and counted.source = caller.source
            and counted.check_id in ('count_agrees', 'sweeps_agree') and counted.result = 'PASS'
            and (counted.check_id = 'count_agrees' or sources.kind = 'okta')
    )
union all
select sources.snapshot_id, sources.source, 4, '', 'the end of the list of users was not proven'
from meta.sources as sources
left join meta.reconciliation as checks
    on checks.snapshot_id = sources.snapshot_id and checks.source = sources.source
    and checks.check_id = 'end_proven' and checks.result = 'PASS'
where coalesce(sources.error, '') = '' and checks.source is null;
comment on view meta.incomplete_sources is 'One reason why a source of an extract is not proven complete. An extract without such a row is FULL.';
comment on column meta.incomplete_sources.step is 'order of the reasons: 1 the source failed, 2 a gate check failed, 3 the caller is not proven to see every account, 4 the end of the list is not proven';
comment on column meta.incomplete_sources.check_id is 'the gate check that failed, or empty';
comment on column meta.incomplete_sources.reason is 'the reason in words';

-- Rules about people can be compared only between extracts that read every directory whole: a person on a missing page
-- would look as if their employment had changed. So the chain is followed back to the last such extract.
create or replace view meta.last_evaluated as
with recursive

incomplete_directories as (
    select distinct sources.snapshot_id
    from meta.incomplete_sources as incomplete
    join meta.sources as sources
        on sources.snapshot_id = incomplete.snapshot_id and sources.source = incomplete.source
    where sources.kind in ('scim', 'okta', 'entra')
),

chain as (
    select source, snapshot_id as compared_snapshot_id, snapshot_id from meta.last_compared
    union
    select chain.source, chain.compared_snapshot_id, watched.previous_snapshot_id
    from chain
    join meta.watched as watched on watched.source = chain.source and watched.snapshot_id = chain.snapshot_id
    where
        watched.previous_snapshot_id is not null
        and chain.snapshot_id in (select snapshot_id from incomplete_directories)
)

select source, compared_snapshot_id, snapshot_id
from chain
where snapshot_id not in (select snapshot_id from incomplete_directories);
comment on view meta.last_evaluated is 'The snapshot of each source with which ''watch'' compares findings about people: the last compared one that read every directory whole.';
comment on column meta.last_evaluated.compared_snapshot_id is 'the snapshot of the source that ''watch'' compared last';

create table if not exists meta.deliveries (
    sink_id varchar primary key, sink varchar not null, position bigint not null, delivered_at timestamp not null
);
comment on table meta.deliveries is 'One receiver of events and the last event that it has received.';
comment on column meta.deliveries.sink_id is 'hash of the file path or address';
comment on column meta.deliveries.sink is 'the file, or only the server of an address, because the rest may be a secret';
comment on column meta.deliveries.position is 'position of the last event received';
comment on column meta.deliveries.delivered_at is 'when the event was received, UTC';

create table if not exists baseline.snapshot (snapshot_id varchar not null, build_id varchar not null, as_of timestamp not null, finished_at timestamp not null);
comment on table baseline.snapshot is 'The snapshot that this build is compared with: one row, or none.';
comment on column baseline.snapshot.as_of is 'the moment accounts were evaluated as of, UTC';
create table if not exists baseline.accounts (
    source varchar not null, account_id varchar not null, user_name varchar, email varchar, display_name varchar,
    status varchar not null, role_id varchar, role_rank integer, privileged boolean not null, last_seen_at timestamp,
    person_id varchar, "groups" varchar, user_name_key varchar, unreadable_fields varchar[]
);
comment on table baseline.accounts is 'The accounts of the baseline.';
comment on column baseline.accounts.user_name_key is 'the user name, normalised for comparison';
create table if not exists baseline.roles (
    source varchar not null, role_id varchar not null,
    role_name varchar, role_display_name varchar, role_rank integer, privileged boolean not null
);
comment on table baseline.roles is 'The roles of the baseline.';
create table if not exists baseline.groups (
    source varchar not null, group_id varchar not null,
    group_name varchar, role_id varchar, is_builtin boolean not null, member_count bigint not null,
    carries_privileged boolean, is_listed_privileged boolean not null, has_unreadable_members boolean
);
comment on table baseline.groups is 'The groups of the baseline.';
create table if not exists baseline.memberships (
    source varchar not null, account_id varchar not null,
    group_id varchar not null, seen_in varchar not null
);
comment on table baseline.memberships is 'The group memberships of the baseline.';
create table if not exists baseline.grants (
    source varchar not null, account_id varchar not null,
    entitlement_type varchar not null, entitlement_id varchar not null, grant_type varchar not null,
    granted_via_group_id varchar
);
comment on table baseline.grants is 'The roles and groups that accounts held in the baseline.';
create table if not exists baseline.register (
    finding_id varchar not null, rule_id varchar not null, severity varchar not null, source varchar,
    subject_type varchar not null, subject_id varchar not null, account_id varchar, status varchar not null,
    first_seen_snapshot_id varchar, first_seen_at timestamp, due_from_at timestamp, object_type varchar,
    returned_snapshot_id varchar
);
comment on table baseline.register is 'The findings of the baseline.';
comment on column baseline.register.due_from_at is 'when the time to fix the finding began, UTC';
comment on column baseline.register.returned_snapshot_id is 'the snapshot in which it last came back after it was gone; null if it never was';
comment on column baseline.register.object_type is 'dashboard, model or folder; null unless the finding is about one';
create table if not exists baseline.reports (
    snapshot_id varchar not null, has_findings boolean not null, read_at timestamp
);
comment on table baseline.reports is 'The last eight complete snapshots before this one that were reported: those that the trend shows.';
comment on column baseline.reports.read_at is 'when its extract ended, UTC';
comment on column baseline.reports.has_findings is 'its findings are still in history; false if they were pruned';
create table if not exists baseline.absences (
    campaign varchar not null, item_id varchar not null, first_absent_snapshot_id varchar not null
);
comment on table baseline.absences is 'Roles and groups that a signed-off review revoked and a later complete extract no longer had.';
comment on column baseline.absences.item_id is 'id of the revoked item';
comment on column baseline.absences.first_absent_snapshot_id is 'the first complete snapshot since the sign-off, before this one, without it';

-- review: plans and changes of remediation ----------------------------

create table if not exists review.changes (
    change_id varchar primary key,
    plan_id varchar not null,
    campaign varchar,
    item_id varchar,
    finding_id varchar,
    source varchar not null,
    account_id varchar not null,
    user_name varchar,
    action varchar not null,
    entitlement_type varchar,
    entitlement_id varchar,
    reason varchar not null,
    request json not null,
    previous json,
    state varchar not null,
    detail varchar,
    verified_state varchar,
    verified_snapshot_id varchar,
    applied_at timestamp,
    verified_at timestamp,
    applied_by varchar,
    applied_by_email varchar,
    approver varchar,
    approver_email varchar,
    is_single_operator boolean not null
);
comment on table review.changes is 'One change of a remediation plan: the request sent to a source and the result that a later extract showed.';
comment on column review.changes.change_id is 'hash of the plan, source, account and action';
comment on column review.changes.plan_id is 'hash of the plan without its approvals';
comment on column review.changes.campaign is 'the review campaign whose decision led to the change, if any';
comment on column review.changes.item_id is 'the review item whose decision led to the change, if any';
comment on column review.changes.finding_id is 'the finding that led to the change, if any';
comment on column review.changes.source is 'the source''s name in the configuration';
comment on column review.changes.account_id is 'the account''s id in the source, unchanged';
comment on column review.changes.user_name is 'login name when the change was planned';
comment on column review.changes.action is 'deactivate, change_role, remove_from_groups, or a rollback: activate, restore_role, restore_groups';
comment on column review.changes.entitlement_type is 'role or group, if the change concerns one';
comment on column review.changes.entitlement_id is 'id of the role or group';
comment on column review.changes.reason is 'reason for the change';
comment on column review.changes.request is 'the fields sent';
comment on column review.changes.previous is 'the same fields, read just before the change';
comment on column review.changes.state is 'applied, skipped, failed, unclear (the result could not be read back) or left_out (not part of the plan)';
comment on column review.changes.detail is 'why the change was skipped, failed or is unclear';
comment on column review.changes.verified_state is 'removed_verified, still_present, reappeared or not_verifiable; null before a verification';
comment on column review.changes.verified_snapshot_id is 'the snapshot that verified the change';
comment on column review.changes.applied_at is 'when the outcome was known, UTC';
comment on column review.changes.verified_at is 'end of the extract that verified the change, UTC';
comment on column review.changes.applied_by is 'who applied the plan';
comment on column review.changes.applied_by_email is 'their e-mail address';
comment on column review.changes.approver is 'who approved the plan';
comment on column review.changes.approver_email is 'their e-mail address';
comment on column review.changes.is_single_operator is 'one person approved and applied the plan, with --single-operator';
create table if not exists review.plans (
    plan_id varchar primary key,
    campaign varchar,
    path varchar not null,
    approver varchar not null,
    approver_email varchar not null,
    approved_at timestamp not null
);
comment on table review.plans is 'One approved remediation plan, recorded before its first change was sent.';
comment on column review.plans.plan_id is 'hash of the plan without its approvals';
comment on column review.plans.campaign is 'the review campaign whose decisions the plan carries out, if any';
comment on column review.plans.path is 'path of the plan when it was first applied; the journal next to it serves every copy of the plan';
comment on column review.plans.approver is 'who approved the plan';
comment on column review.plans.approver_email is 'their e-mail address';
comment on column review.plans.approved_at is 'when the plan was approved, UTC';

-- review: campaigns, items and decisions. Rows are never updated: an item's newest decision applies -----------------

create table if not exists review.campaigns (
    campaign varchar primary key,
    snapshot_id varchar not null,
    build_id varchar not null,
    as_of timestamp not null,
    scope varchar not null,
    reviewers varchar[] not null,
    due_on date,
    opened_at timestamp not null,
    snapshot_items bigint,
    snapshot_accounts bigint
);
comment on table review.campaigns is 'One review campaign: the build it covers, how reviewers are assigned, and when decisions are due.';
comment on column review.campaigns.campaign is 'the name of the review campaign';
comment on column review.campaigns.snapshot_id is 'the snapshot that the campaign reviews';
comment on column review.campaigns.build_id is 'the build that the campaign reviews';
comment on column review.campaigns.as_of is 'the moment accounts were evaluated as of, UTC';
comment on column review.campaigns.scope is 'all, privileged, external, flagged or changed';
comment on column review.campaigns.reviewers is 'how reviewers are assigned, in this order: owner, manager, or an e-mail address';
comment on column review.campaigns.due_on is 'the last day for decisions';
comment on column review.campaigns.opened_at is 'when the campaign was opened, UTC';
comment on column review.campaigns.snapshot_items is 'number of grants in the build, in scope or not';
comment on column review.campaigns.snapshot_accounts is 'number of accounts in the build';

create table if not exists review.items (
    campaign varchar not null,
    item_id varchar not null,
    source varchar not null,
    account_id varchar not null,
    user_name varchar,
    email varchar,
    display_name varchar,
    person_id varchar,
    account_type varchar,
    status varchar,
    login_state varchar,
    last_seen_at timestamp,
    entitlement_type varchar not null,
    entitlement_id varchar not null,
    entitlement_name varchar,
    permission_level varchar not null,
    path varchar,
    peers varchar,
    findings varchar,
    conflict varchar,
    rule_ids varchar,
    risk varchar not null,
    change_since_baseline varchar,
    recommendation varchar,
    recommendation_reason varchar,
    prior_decision varchar,
    prior_reviewer varchar,
    prior_decision_at timestamp,
    exclusion_reason varchar,
    reviewer_email varchar,
    reviewer_basis varchar,
    attention integer,
    place bigint,
    title varchar,
    department varchar,
    manager_email varchar,
    allows varchar,
    opens varchar,
    account_findings varchar,
    account_risk varchar,
    conflict_with varchar,
    card_id varchar,
    position bigint,
    primary key (campaign, item_id)
);
comment on table review.items is 'One role or group of one account when the campaign opened, with its reviewer or the reason for its exclusion.';
comment on column review.items.item_id is 'hash of source, account and entitlement; the same in every campaign';
comment on column review.items.source is 'the source''s name in the configuration';
comment on column review.items.account_id is 'the account''s id in the source, unchanged';
comment on column review.items.user_name is 'login name';
comment on column review.items.email is 'the account''s e-mail address';
comment on column review.items.display_name is 'first and last name, else user name, else e-mail address, else id';
comment on column review.items.person_id is 'the person that the account belongs to';
comment on column review.items.account_type is 'break_glass, service, human, shared or unknown';
comment on column review.items.status is 'active, inactive, pending or unknown';
comment on column review.items.login_state is 'seen, never or unknown';
comment on column review.items.last_seen_at is 'the later of last login and last activity, UTC';
comment on column review.items.entitlement_type is 'role or group';
comment on column review.items.entitlement_id is 'id of the role or group';
comment on column review.items.entitlement_name is 'its name, as shown to people; null if the role or group does not exist';
comment on column review.items.permission_level is 'privileged, standard or unclassified';
comment on column review.items.path is 'the path from the account to the role or group, in words';
comment on column review.items.peers is 'how many peers hold it too, in words';
comment on column review.items.findings is 'open findings that mark the item: those that name it, and for a role those about the whole account';
comment on column review.items.conflict is 'segregation of duties conflict of the item, and who reviews the other side';
comment on column review.items.rule_ids is 'the rules of these findings';
comment on column review.items.risk is 'severity of the most severe open finding; at least high unless the permission level is standard';
comment on column review.items.change_since_baseline is 'new, changed, unchanged, reappeared or no_baseline';
comment on column review.items.recommendation is 'keep, remove, reduce, investigate or no_information';
comment on column review.items.recommendation_reason is 'reason for the recommendation';
comment on column review.items.prior_decision is 'decision in the last signed-off campaign';
comment on column review.items.prior_reviewer is 'who made that decision';
comment on column review.items.prior_decision_at is 'when that decision was made, UTC';
comment on column review.items.exclusion_reason is 'why the item has no reviewer; null if it has one';
comment on column review.items.reviewer_email is 'e-mail address of the reviewer, in lower case';
comment on column review.items.reviewer_basis is 'how the reviewer was assigned: owner, manager or named';
comment on column review.items.attention is '1 high risk, 2 new or changed, 3 other, 4 unchanged and kept last time';
comment on column review.items.place is 'position in the reviewers packet, from 1; null without a reviewer';
comment on column review.items.title is 'job title of the person';
comment on column review.items.department is 'department of the person';
comment on column review.items.manager_email is 'e-mail address of the manager of the person';
comment on column review.items.allows is 'what the role or group permits, in words';
comment on column review.items.opens is 'which dashboards, models and rows the role or group opens, in words; null if they were not read';
comment on column review.items.account_findings is 'open findings about the account or person as a whole';
comment on column review.items.account_risk is 'severity of the most severe of these; null without one';
comment on column review.items.conflict_with is 'ids of the items on the other side of its conflicts';
comment on column review.items.card_id is 'id of the card that a reviewer sees: one for each person, else for each account';
comment on column review.items.position is 'position in the order of attention among all items of the campaign, from 1; null if left out';

create table if not exists review.decisions (
    campaign varchar not null,
    item_id varchar not null,
    sequence bigint not null,
    decision varchar not null,
    reason varchar,
    target_role varchar,
    defer_until date,
    approver varchar,
    expires_on date,
    reviewer_email varchar not null,
    decided_at timestamp,
    imported_at timestamp not null,
    file_name varchar,
    file_sha256 varchar,
    decision_id varchar,
    method varchar,
    is_bulk boolean,
    decided_from varchar,
    undoes varchar,
    primary key (campaign, item_id, sequence)
);
comment on table review.decisions is 'One decision, as a reviewer returned it. The newest decision of an item counts; earlier ones are kept.';
comment on column review.decisions.item_id is 'id of the item decided on';
comment on column review.decisions.sequence is 'number of the decision on the item, from 1; the highest counts';
comment on column review.decisions.decision is 'keep, remove, reduce, defer, exception, or withdrawn if the reviewer took the only decision back';
comment on column review.decisions.reason is 'the reason, in the reviewers words';
comment on column review.decisions.target_role is 'the role to reduce to, if the decision is reduce';
comment on column review.decisions.defer_until is 'the last day to decide, if the decision is defer';
comment on column review.decisions.approver is 'who approved the exception';
comment on column review.decisions.expires_on is 'the last day of the exception';
comment on column review.decisions.reviewer_email is 'e-mail address of the reviewer who decided, in lower case';
comment on column review.decisions.decided_at is 'when the reviewer decided, UTC; null if the reviewer gave no time';
comment on column review.decisions.imported_at is 'when it was imported, UTC';
comment on column review.decisions.file_name is 'name of the file with the decision; null if it was made on the page';
comment on column review.decisions.file_sha256 is 'hash of that file';
comment on column review.decisions.decision_id is 'random id of the decision; null if an earlier version of the program imported it';
comment on column review.decisions.method is 'how the reviewer was known: link, oidc or file; null means file';
comment on column review.decisions.is_bulk is 'the reviewer accepted the recommendations for a person in one step';
comment on column review.decisions.decided_from is 'network address that the decision came from; null for a file';
comment on column review.decisions.undoes is 'id of the decision that this one takes back; the answer before it holds again';

create table if not exists review.reassignments (
    campaign varchar not null,
    item_id varchar not null,
    sequence bigint not null,
    reassignment_id varchar not null,
    from_email varchar not null,
    to_email varchar not null,
    reason varchar not null,
    reassigned_by varchar not null,
    reassigned_at timestamp not null,
    imported_at timestamp not null,
    primary key (campaign, item_id, sequence)
);
comment on table review.reassignments is 'One item that was handed over to another reviewer. The newest of an item counts; earlier ones are kept.';
comment on column review.reassignments.item_id is 'the item, as in review.items';
comment on column review.reassignments.sequence is 'number of the reassignment of the item, from 1; the highest counts';
comment on column review.reassignments.reassignment_id is 'random id of the reassignment';
comment on column review.reassignments.from_email is 'e-mail address of the reviewer before';
comment on column review.reassignments.to_email is 'e-mail address of the reviewer from then on';
comment on column review.reassignments.reason is 'why it was handed over';
comment on column review.reassignments.reassigned_by is 'who handed it over';
comment on column review.reassignments.reassigned_at is 'when it was handed over, UTC';
comment on column review.reassignments.imported_at is 'when it was brought in from the page, UTC';

create table if not exists review.mails (
    campaign varchar not null,
    mail_id varchar not null,
    kind varchar not null,
    recipient varchar not null,
    reason_key varchar not null,
    subject varchar,
    delivery varchar not null,
    detail varchar,
    sent_at timestamp not null,
    imported_at timestamp not null,
    primary key (campaign, mail_id)
);
comment on table review.mails is 'One mail to a reviewer, sent or written to a file.';
comment on column review.mails.mail_id is 'random id of the mail';
comment on column review.mails.kind is 'invitation, reminder or reassignment';
comment on column review.mails.recipient is 'e-mail address of the recipient';
comment on column review.mails.reason_key is 'what the mail was sent for; no recipient gets two mails of one kind for the same';
comment on column review.mails.subject is 'subject line';
comment on column review.mails.delivery is 'sent, written, failed, or uncertain if the connection broke';
comment on column review.mails.detail is 'path of the file, or why the server refused it';
comment on column review.mails.sent_at is 'when it was sent or written, UTC';
comment on column review.mails.imported_at is 'when it was brought in from the page, UTC';

-- The items of one campaign that have a reviewer, each with the decision that holds: the newest one. Every statement
-- about a campaign starts from these rows.
create or replace macro review.assigned_items(name) as table
with

newest_decisions as (
    select item_id, max(sequence) as sequence from review.decisions where campaign = name group by item_id
),

held_decisions as (
    select decisions.*
    from review.decisions as decisions
    join newest_decisions on newest_decisions.item_id = decisions.item_id
        and newest_decisions.sequence = decisions.sequence
    where decisions.campaign = name and decisions.decision <> 'withdrawn'
),

current_reviewers as (
    select item_id, max_by(to_email, sequence) as email
    from review.reassignments
    where campaign = name
    group by item_id
)

select
    items.* replace (
        coalesce(reviewers.email, items.reviewer_email) as reviewer_email,
        -- The place at opening, unless items were handed over.
        row_number() over (
            partition by coalesce(reviewers.email, items.reviewer_email)
            order by items.position, items.place, items.reviewer_email, items.item_id
        ) as place,
        -- Places and reviewers that a conflict names are those at opening; they are left out once items were handed over.
        case when exists (select 1 from current_reviewers)
            then regexp_replace(items.conflict, ' \((no\. \d+ here|reviewed by [^)]*)\)', '', 'g')
            else items.conflict
        end as conflict
    ),
    items.reviewer_email as original_reviewer_email, held.sequence, held.decision, held.reason, held.target_role,
    held.defer_until, held.approver, held.expires_on, held.reviewer_email as decided_by, held.decided_at,
    held.imported_at, coalesce(held.method, case when held.sequence is not null then 'file' end) as method,
    case when held.sequence is not null then coalesce(held.is_bulk, false) end as is_bulk, held.decided_from,
    items.risk in ('critical', 'high') as is_high_risk
from review.items as items
left join held_decisions as held on held.item_id = items.item_id
left join current_reviewers as reviewers on reviewers.item_id = items.item_id
where items.campaign = name and items.exclusion_reason is null;

create table if not exists review.sign_offs (
    campaign varchar primary key,
    snapshot_id varchar not null,
    signed_by varchar not null,
    signed_email varchar not null,
    signed_role varchar not null,
    signed_at timestamp not null,
    folder varchar not null,
    manifest_sha256 varchar not null
);
comment on table review.sign_offs is 'The attestation that closed a campaign, with its signer and sealed folder.';
comment on column review.sign_offs.snapshot_id is 'the snapshot that the campaign reviewed, which becomes the baseline';
comment on column review.sign_offs.signed_by is 'who signed';
comment on column review.sign_offs.signed_email is 'e-mail address of the signer';
comment on column review.sign_offs.signed_role is 'role in which the person signed';
comment on column review.sign_offs.signed_at is 'when the campaign was signed off, UTC';
comment on column review.sign_offs.folder is 'name of the sealed folder';
comment on column review.sign_offs.manifest_sha256 is 'hash of the manifest in that folder';
