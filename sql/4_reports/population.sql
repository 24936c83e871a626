/*
summary = "One account, including excluded and inactive ones, with everything a reviewer needs."
reads   = [
    "graph.accounts", "graph.roles", "graph.people", "graph.policy_subjects", "reports.finding_accounts",
    "reference.rules", "reference.severities", "reference.rank_levels", "baseline.snapshot", "baseline.accounts",
    "history.accounts",
]
grain   = ["source", "account_id"]

[columns]
snapshot_id           = "varchar: the snapshot"
source                = "varchar: the source's name in the configuration"
account_id            = "varchar: the source's own id, verbatim"
user_name             = "varchar: login name"
email                 = "varchar: e-mail address"
email_domain          = "varchar: domain of the e-mail address, in lower case"
display_name          = "varchar: both names, else the user name, else the e-mail address"
first_name            = "varchar: given name"
last_name             = "varchar: family name"
account_type          = "varchar: break_glass, service, human, shared or unknown"
status                = "varchar: active, inactive, pending or unknown"
origin                = "varchar: local, directory, sso or unknown"
created_at            = "timestamp: creation"
age_days              = "bigint: UTC calendar days from the day of creation to the day of as-of"
last_login_at         = "timestamp: last login as the source gives it"
last_activity_at      = "timestamp: last activity as the source gives it"
last_seen_at          = "timestamp: the later of last login and last activity that can be trusted"
days_since_seen       = "bigint: UTC calendar days from the day last seen to the day of as-of"
login_state           = "varchar: seen, never or unknown"
role_id               = "varchar: the role's id"
role_name             = "varchar: the name the API uses"
role_display_name     = "varchar: the name people see"
role_rank             = "integer: 0 to 100; null while unclassified"
privileged            = "boolean: by the account's own role; an unclassified role counts as privileged"
groups                = "varchar: names of its groups, without the built-in ones"
group_count           = "bigint: number of those groups"
person_id             = "varchar: the matched person in the roster"
person_match          = "varchar: how the person was matched; or unmatched, ambiguous, suggested or no_roster"
employment_status     = "varchar: the person's status: active, leave or ended"
manager_email         = "varchar: the person's manager"
department            = "varchar: the person's department"
in_scope              = "boolean: false if the policy excludes the account"
exclusion_reason      = "varchar: reason for the exclusion, and who approved it"
change_since_baseline = "varchar: new, changed, unchanged, reappeared or no_baseline"
risk_score            = "integer: 0 to 100, impact times likelihood of the open findings"
top_severity          = "varchar: highest severity among the open findings"
finding_count         = "bigint: number of open findings"
rule_ids              = "varchar: rules of the open findings"
*/
with

open_findings as (
    select source, account_id, rule_id, severity_rank from reports.finding_accounts where status = 'open'
),

finding_totals as (
    select
        source, account_id, count(*) as finding_count, min(severity_rank) as severity_rank,
        array_to_string(list_sort(list(distinct rule_id)), '; ') as rule_ids
    from open_findings
    group by source, account_id
),

-- Each factor counts once, even if several rules share it.
risk_factors as (
    select found.source, found.account_id, rules.risk_factor, max(rules.risk_likelihood) as likelihood
    from open_findings as found
    join reference.rules as rules on rules.rule_id = found.rule_id
    where rules.risk_factor is not null
    group by found.source, found.account_id, rules.risk_factor
),

likelihoods as (
    select source, account_id, sum(likelihood) as likelihood from risk_factors group by source, account_id
),

exclusions as (
    select source, subject_id as account_id, min(reason || ' (approved by ' || approved_by || ')') as exclusion_reason
    from graph.policy_subjects
    where policy = 'out_of_scope' and subject_type = 'account' and is_in_force
    group by source, subject_id
),

-- Accounts in an earlier snapshot but not in the baseline have reappeared.
earlier_accounts as (
    select distinct earlier.source, earlier.account_id
    from history.accounts as earlier
    join baseline.snapshot as base on earlier.snapshot_id < base.snapshot_id
),

-- One row, even without a baseline.
baselines as (
    select max(snapshot_id) as snapshot_id from baseline.snapshot
)

select
    $snapshot_id as snapshot_id,
    account.source,
    account.account_id,
    account.user_name,
    account.email,
    account.email_domain,
    account.display_name,
    account.first_name,
    account.last_name,
    account.account_type,
    account.status,
    account.origin,
    account.created_at,
    account.age_days,
    account.last_login_at,
    account.last_activity_at,
    account.last_seen_at,
    account.days_since_seen,
    account.login_state,
    account.role_id,
    role.role_name,
    role.role_display_name,
    account.role_rank,
    account.privileged,
    account.groups,
    account.group_count,
    account.person_id,
    account.person_match,
    person.employment_status,
    person.manager_email,
    person.department,
    exclusions.account_id is null as in_scope,
    exclusions.exclusion_reason,
    case
        when baselines.snapshot_id is null then 'no_baseline'
        when before.account_id is null and known.account_id is not null then 'reappeared'
        when before.account_id is null then 'new'
        when before.user_name is distinct from account.user_name
            or before.email is distinct from account.email
            or before.display_name is distinct from account.display_name
            or before.status is distinct from account.status
            or before.role_id is distinct from account.role_id
            or before.role_rank is distinct from account.role_rank
            or before.privileged is distinct from account.privileged
            or before.groups is distinct from account.groups
            or before.person_id is distinct from account.person_id then 'changed'
        else 'unchanged'
    end as change_since_baseline,
    cast(round(
        case when account.privileged then 9 when account.role_rank >= (select minimum_rank from reference.rank_levels where level = 'designer') then 3 else 1 end
        * least(11, coalesce(likelihoods.likelihood, 0)) * 100 / 99.0
    ) as integer) as risk_score,
    severities.severity as top_severity,
    coalesce(finding_totals.finding_count, 0) as finding_count,
    coalesce(finding_totals.rule_ids, '') as rule_ids
from graph.accounts as account
cross join baselines
left join baseline.accounts as before on before.source = account.source and before.account_id = account.account_id
left join earlier_accounts as known on known.source = account.source and known.account_id = account.account_id
left join graph.roles as role on role.source = account.source and role.role_id = account.role_id
left join graph.people as person on person.person_id = account.person_id
left join exclusions on exclusions.source = account.source and exclusions.account_id = account.account_id
left join finding_totals on finding_totals.source = account.source and finding_totals.account_id = account.account_id
left join reference.severities as severities on severities.position = finding_totals.severity_rank
left join likelihoods on likelihoods.source = account.source and likelihoods.account_id = account.account_id
