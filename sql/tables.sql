-- The tables that outlive a build or are filled before one. Models (the numbered folders) are built from these.
-- Every statement may run again on an existing database. The comments are the catalog's text.

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

-- meta: what was extracted, and what was built from it -------------------------------------------------------

create table if not exists meta.snapshots (
    snapshot_id varchar primary key,
    started_at timestamp not null,
    finished_at timestamp not null,
    as_of timestamp not null,
    completeness varchar not null,
    reason varchar,
    tool_version varchar not null,
    config_sha256 varchar not null,
    previous_snapshot_id varchar
);
comment on table meta.snapshots is 'One extract: when it ran, whether it is proven complete (FULL, PARTIAL, UNKNOWN) and why not.';

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
comment on table meta.sources is 'One source of one extract: what it is, who read it, and the totals it gave itself.';

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
comment on table meta.pages is 'One request to a source and its answer, with the hash of the bytes as they came.';

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
alter table meta.builds add column if not exists roster_file varchar;
comment on table meta.builds is 'One build: everything the reports of a snapshot depend on. The id is a hash of it.';

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
comment on table meta.rule_runs is 'What each rule counted in each build.';

create table if not exists meta.reports (
    snapshot_id varchar not null,
    build_id varchar not null,
    data_sha256 varchar not null,
    manifest_sha256 varchar not null,
    previous_manifest_sha256 varchar,
    written_at timestamp not null
);
comment on table meta.reports is 'One sealed report: the hash of its manifest, and of the one before it in the chain.';

-- raw: the source rows as they came, secrets left out ---------------------------------------------------------

create table if not exists raw.users (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.users is 'One user record as the source gave it. Rows of a sweep that was not accepted stay as evidence.';
create table if not exists raw.roles (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.roles is 'One role record as the source gave it.';
create table if not exists raw.groups (
    snapshot_id varchar not null, source varchar not null, sweep integer not null, page integer not null,
    ordinal integer not null, is_accepted boolean not null, fetched_at timestamp not null, payload json not null
);
comment on table raw.groups is 'One group record as the source gave it, with its members.';

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
comment on table reference.snapshot is 'One row: the snapshot that the current build shows, and the organisation it belongs to.';

create table if not exists reference.role_names (role_name varchar not null, display_name varchar not null);
comment on table reference.role_names is 'The built-in roles: the name the API uses and the name people see.';
create table if not exists reference.builtin_groups (group_name varchar not null, is_everyone boolean not null);
comment on table reference.builtin_groups is 'Groups that every instance has; is_everyone marks those that hold all accounts.';
create table if not exists reference.shared_names (local_part varchar not null);
comment on table reference.shared_names is 'Local parts of e-mail addresses and user names that belong to a function, not to a person.';
create table if not exists reference.freemail_domains (email_domain varchar not null);
comment on table reference.freemail_domains is 'Domains where anyone can get an e-mail address.';
create table if not exists reference.management_permissions (area varchar not null, verb_prefix varchar not null);
comment on table reference.management_permissions is 'Manifest areas and verbs that mean the management of users, groups or tenants.';

create table if not exists reference.risk_factors (rule_id varchar not null, factor varchar not null, likelihood integer not null);
comment on table reference.risk_factors is 'How much an open finding of a rule adds to the likelihood in the risk score; each factor counts once.';

create table if not exists reference.rules (rule_id varchar not null, severity varchar not null);
comment on table reference.rules is 'The severity of each rule as it is in force, where a finding has none of its own.';
create table if not exists reference.rule_parameters (rule_id varchar not null, parameter varchar not null, value double not null);
comment on table reference.rule_parameters is 'The numeric parameters of each rule as they are in force.';

create table if not exists policy.email_domains (email_domain varchar not null);
comment on table policy.email_domains is 'The organisation''s own e-mail domains; every other one is external.';
create table if not exists policy.roles (role_name varchar not null, rank integer not null, privileged boolean not null, line integer, is_default boolean not null);
comment on table policy.roles is 'The rank of each role, 0 to 100, and whether it is privileged.';
create table if not exists policy.privileged_groups (group_name varchar not null, line integer, is_default boolean not null);
comment on table policy.privileged_groups is 'Groups whose members are to be treated with the care of privileged accounts.';
create table if not exists policy.service_accounts (user_name varchar, email varchar, owner_email varchar, purpose varchar, review_by date, line integer, is_default boolean not null);
comment on table policy.service_accounts is 'Registered service accounts: who owns each, what for, and when it is due for review.';
create table if not exists policy.break_glass (user_name varchar, email varchar, owner_email varchar, purpose varchar, line integer, is_default boolean not null);
comment on table policy.break_glass is 'Registered emergency accounts.';
create table if not exists policy.sod_pairs (left_type varchar not null, left_name varchar not null, right_type varchar not null, right_name varchar not null, reason varchar, line integer, is_default boolean not null);
comment on table policy.sod_pairs is 'Pairs of roles or groups that one person must not hold together.';
create table if not exists policy.exceptions (rule_id varchar not null, source varchar, subject varchar not null, reason varchar not null, approved_by varchar not null, expires_on date not null, line integer, is_default boolean not null);
comment on table policy.exceptions is 'Findings accepted as a risk, by whom, why and until when.';
create table if not exists policy.out_of_scope (source varchar, subject varchar not null, reason varchar not null, approved_by varchar not null, line integer, is_default boolean not null);
comment on table policy.out_of_scope is 'Accounts left out of the review, by whom and why. They stay in the population.';
create table if not exists policy.owners (entitlement_type varchar not null, entitlement_name varchar not null, reviewer_email varchar not null, line integer, is_default boolean not null);
comment on table policy.owners is 'Who reviews a role or a group.';
create table if not exists policy.roster (
    person_id varchar not null, email varchar not null, aliases varchar[] not null, display_name varchar,
    manager_email varchar, department varchar, title varchar, employment_status varchar, start_date date,
    end_date date, person_type varchar, "row" bigint not null
);
comment on table policy.roster is 'The people, as the roster file gives them; row counts the records of the file from 1.';

-- history: every published build; baseline: the one compared with ---------------------------------------------

create table if not exists history.accounts (
    build_id varchar not null, snapshot_id varchar not null, source varchar not null, account_id varchar not null,
    user_name varchar, email varchar, display_name varchar, status varchar not null, role_id varchar, role_rank integer,
    privileged boolean not null, last_seen_at timestamp, person_id varchar, "groups" varchar
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
    carries_privileged boolean, is_listed_privileged boolean not null
);
comment on table history.groups is 'The groups of every published build.';
create table if not exists history.memberships (
    build_id varchar not null, snapshot_id varchar not null, source varchar not null, account_id varchar not null,
    group_id varchar not null, seen_in varchar not null
);
comment on table history.memberships is 'Who was in which group in every published build.';
create table if not exists history.grants (
    build_id varchar not null, snapshot_id varchar not null, source varchar not null, account_id varchar not null,
    entitlement_type varchar not null, entitlement_id varchar not null, grant_type varchar not null,
    granted_via_group_id varchar
);
comment on table history.grants is 'Who held which role or group in every published build.';
create table if not exists history.register (
    build_id varchar not null, snapshot_id varchar not null, finding_id varchar not null, rule_id varchar not null,
    severity varchar not null, source varchar, subject_type varchar not null, subject_id varchar not null, account_id varchar, status varchar not null
);
comment on table history.register is 'The findings of every published build.';

create table if not exists baseline.snapshot (snapshot_id varchar not null, build_id varchar not null, as_of timestamp not null, finished_at timestamp not null);
comment on table baseline.snapshot is 'The snapshot that this build is compared with: one row, or none.';
create table if not exists baseline.accounts (
    source varchar not null, account_id varchar not null, user_name varchar, email varchar, display_name varchar,
    status varchar not null, role_id varchar, role_rank integer, privileged boolean not null, last_seen_at timestamp,
    person_id varchar, "groups" varchar
);
comment on table baseline.accounts is 'The accounts of the baseline.';
create table if not exists baseline.roles (
    source varchar not null, role_id varchar not null,
    role_name varchar, role_display_name varchar, role_rank integer, privileged boolean not null
);
comment on table baseline.roles is 'The roles of the baseline.';
create table if not exists baseline.groups (
    source varchar not null, group_id varchar not null,
    group_name varchar, role_id varchar, is_builtin boolean not null, member_count bigint not null,
    carries_privileged boolean, is_listed_privileged boolean not null
);
comment on table baseline.groups is 'The groups of the baseline.';
create table if not exists baseline.memberships (
    source varchar not null, account_id varchar not null,
    group_id varchar not null, seen_in varchar not null
);
comment on table baseline.memberships is 'Who was in which group in the baseline.';
create table if not exists baseline.grants (
    source varchar not null, account_id varchar not null,
    entitlement_type varchar not null, entitlement_id varchar not null, grant_type varchar not null,
    granted_via_group_id varchar
);
comment on table baseline.grants is 'Who held which role or group in the baseline.';
create table if not exists baseline.register (
    finding_id varchar not null, rule_id varchar not null, severity varchar not null, source varchar,
    subject_type varchar not null, subject_id varchar not null, account_id varchar, status varchar not null
);
comment on table baseline.register is 'The findings of the baseline.';
