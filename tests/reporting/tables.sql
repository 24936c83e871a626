-- The tables that a report reads, empty.
create schema if not exists graph;
create table graph.policy_subjects (
    policy varchar, line integer, rule_id varchar, subject varchar, source varchar, subject_type varchar,
    subject_id varchar, reason varchar, approved_by varchar, expires_on date, is_in_force boolean);
create table graph.rule_inputs (input varchar, is_present boolean, reason varchar);
create table graph.nodes (node_id varchar, node_type varchar, label varchar, source varchar);
create table graph.edges (from_id varchar, edge_type varchar, to_id varchar);
create schema if not exists reports;
create table reports.snapshot (
    snapshot_id varchar, build_id varchar, organization varchar, as_of timestamp, started_at timestamp,
    finished_at timestamp, completeness varchar, reason varchar, tool_version varchar, baseline_snapshot_id varchar,
    folder varchar, baseline_as_of timestamp);
create table reports.sources (
    source varchar, kind varchar, label varchar, url varchar, api varchar, version varchar, principal_user_name varchar,
    principal_role_name varchar, settings varchar, account_count bigint, role_count bigint, group_count bigint,
    started_at timestamp, finished_at timestamp);
create table reports.population (
    snapshot_id varchar, source varchar, account_id varchar, user_name varchar, email varchar, email_domain varchar,
    display_name varchar, first_name varchar, last_name varchar, account_type varchar, status varchar,
    origin varchar, created_at timestamp, age_days bigint, last_login_at timestamp, last_activity_at timestamp,
    last_seen_at timestamp, days_since_seen bigint, login_state varchar, role_id varchar, role_name varchar,
    role_display_name varchar, role_rank integer, privileged boolean, groups varchar, group_count bigint,
    person_id varchar, person_match varchar, employment_status varchar, manager_email varchar, department varchar,
    in_scope boolean, exclusion_reason varchar, change_since_baseline varchar, risk_score integer,
    top_severity varchar, finding_count bigint, rule_ids varchar);
create table reports.changes (
    object_kind varchar, change varchar, source varchar, key varchar, label varchar, field varchar,
    old_value varchar, new_value varchar, privileged_effect varchar, baseline_snapshot_id varchar,
    snapshot_id varchar);
create table reports.findings (
    finding_id varchar, rule_id varchar, severity varchar, source varchar, subject_type varchar, subject_id varchar,
    account_id varchar, email varchar, title varchar, detail varchar, observed_value varchar, threshold varchar,
    evidence varchar, controls varchar, recommended_action varchar, status varchar, first_seen_snapshot_id varchar,
    person_id varchar, first_seen_at timestamp, age_days integer, owner_email varchar, due_at date, overdue boolean);
create table reports.rule_summary (
    rule_id varchar, title varchar, summary varchar, severity varchar, enabled boolean, parameters varchar,
    population bigint, failed bigint, unknown bigint, passed bigint, controls varchar, remediation varchar,
    sql_sha256 varchar);
create table reports.finding_rows (
    finding_id varchar, rule_id varchar, severity varchar, severity_rank integer, source varchar,
    subject_type varchar, subject_id varchar, account_id varchar, label varchar, email varchar, role varchar,
    department varchar, last_seen_at timestamp, days_since_seen bigint, login_state varchar, detail varchar,
    observed_value varchar, threshold varchar, status varchar, privileged boolean, days_since_end bigint,
    person_id varchar, first_seen_at timestamp, age_days integer, owner_email varchar, owner varchar, due_at date,
    overdue boolean, kind varchar);
create table reports.privileged_accounts (
    source varchar, account_id varchar, label varchar, email varchar, role_display_name varchar, role_rank integer,
    rank_basis varchar, granted_via varchar, privileged_since date, account_type varchar, status varchar,
    department varchar, created_at timestamp,
    last_seen_at timestamp, days_since_seen bigint, login_state varchar, finding_count bigint);
create table reports.person_access (
    person_id varchar, person varchar, department varchar, employment_status varchar, sources bigint,
    accounts bigint, source varchar, account_id varchar, user_name varchar, email varchar, status varchar,
    role_display_name varchar, role_rank integer, privileged boolean, groups varchar, person_match varchar,
    last_seen_at timestamp, is_directory boolean);
create table graph.directory_accounts (
    source varchar, user_id varchar, user_name varchar, email varchar, status varchar, last_sign_in_at timestamp,
    group_names varchar, person_id varchar, person_match varchar);
create table reports.review_quality (
    campaign varchar, snapshot_id varchar, scope varchar, opened_at timestamp, due_on date, is_overdue boolean,
    signed_at timestamp, signed_by varchar, known_at timestamp, snapshot_items bigint, outside_scope bigint,
    left_out bigint, items bigint, kept bigint, removed bigint, reduced bigint, deferred bigint, excepted bigint,
    pending bigint, high_risk bigint, high_risk_pending bigint, reviewers bigint, snapshot_accounts bigint,
    accounts bigint, accounts_decided bigint, item_coverage double, account_coverage double, approval_rate double,
    timed bigint, by_link bigint, by_oidc bigint, by_file bigint, in_bulk bigint, median_seconds double,
    longest_run bigint, longest_run_reviewer varchar, self_reviews bigint,
    self_reviews_unknown bigint);
create table reports.remediation (
    change_id varchar, source varchar, account_id varchar, label varchar, email varchar, action varchar,
    target varchar, reason varchar, campaign varchar, state varchar, applied_at timestamp, applied_by varchar,
    applied_by_email varchar, approver varchar, approver_email varchar, approved_at timestamp,
    is_single_operator boolean, verdict varchar, detail varchar);
create table reports.decision_sums (
    campaign varchar, signed_at timestamp, is_current boolean, decided bigint, position integer, label varchar,
    decisions bigint, sent bigint);
create table reports.summary (section varchar, position integer, key varchar, label varchar, value bigint);
create table reports.reconciliation (
    check_id varchar, source varchar, description varchar, expected varchar, observed varchar, difference bigint,
    result varchar, explanation varchar, is_gate boolean);
create table reports.requests (
    source varchar, resource varchar, endpoint varchar, parameters varchar, sweep integer, requests bigint,
    items bigint, bytes bigint, attempts bigint, first_started_at timestamp, last_finished_at timestamp);
create table reports.trend (
    snapshot_id varchar, as_of timestamp, severity varchar, new bigint, resolved bigint, open bigint,
    reopened bigint, read_at timestamp, evaluated_again bigint, not_evaluated bigint);
create table reports.trend_figures (snapshot_id varchar, as_of timestamp, figure varchar, value double);
