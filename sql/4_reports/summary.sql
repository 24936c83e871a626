/*
summary = "One number of the management summary. The numbers of a section add up to the population, to the active accounts (last_seen) or to the open findings (severity); due counts some of the open findings."
reads   = [
    "reports.population", "reports.finding_accounts", "findings.register", "reports.unevaluated_rules", "reference.rules", "reference.severities",
    "baseline.accounts",
]
grain   = ["section", "position"]  # any key may be a name from the source, even "(others)"

[columns]
section  = "varchar: headline, status, role, last_seen, severity, due, origin, domain or department"
position = "integer: place in its section"
key      = "varchar: stable name of the number"
label    = "varchar: text for readers"
value    = "bigint: the number"
*/
with

accounts as (
    select
        *,
        case
            when login_state = 'never' then 6
            when login_state = 'unknown' then 7
            when days_since_seen <= 30 then 1
            when days_since_seen <= 45 then 2
            when days_since_seen <= 90 then 3
            when days_since_seen <= 180 then 4
            else 5
        end as last_seen_position
    from reports.population
),

open_findings as (
    select * from findings.register where status = 'open'
),

headline as (
    select 1 as position, 'accounts' as key, 'accounts' as label, count(*) as value from accounts
    union all
    select 2, 'in_scope', 'in scope', count(*) filter (where in_scope) from accounts
    union all
    select 3, 'excluded', 'excluded with approval', count(*) filter (where not in_scope) from accounts
    union all
    select 4, 'active', 'active', count(*) filter (where status = 'active') from accounts
    union all
    select 5, 'inactive', 'inactive', count(*) filter (where status = 'inactive') from accounts
    union all
    select 6, 'pending', 'pending', count(*) filter (where status = 'pending') from accounts
    union all
    select 7, 'status_unknown', 'of unknown status', count(*) filter (where status = 'unknown') from accounts
    union all
    select 8, 'privileged', 'privileged', count(*) filter (where privileged) from accounts
    union all
    select 9, 'privileged_active', 'privileged and active', count(*) filter (where privileged and status = 'active') from accounts
    union all
    select 10, 'findings', 'open findings', count(*) from open_findings
    union all
    select 11, 'findings_excused', 'accepted or out of scope', count(*) from findings.register where status <> 'open'
    union all
    select 12, 'accounts_with_findings', 'accounts with findings', count(*) filter (where finding_count > 0) from accounts
    union all
    select 13, 'accounts_without_findings', 'accounts without findings', count(*) filter (where finding_count = 0) from accounts
    union all
    select 14, 'in_scope_with_findings', 'in scope with findings', count(*) filter (where in_scope and finding_count > 0) from accounts
    union all
    select 15, 'in_scope_without_findings', 'in scope without findings', count(*) filter (where in_scope and finding_count = 0) from accounts
    union all
    select 16, 'leavers_active', 'leavers still active', count(distinct source || ':' || account_id)
    from open_findings where rule_id in (select rule_id from reference.rules where headline = 'leavers_active')
    -- The number is left out if its rule is off or not evaluated.
    having not exists (select 1 from reports.unevaluated_rules where headline = 'leavers_active')
    union all
    select 17, 'privileged_with_findings', 'privileged with findings', count(*) filter (where privileged and finding_count > 0) from accounts
    union all
    select 18, 'privileged_active_new', 'privileged and active, but not in the baseline', count(*)
    from accounts
    left join baseline.accounts as before on before.source = accounts.source and before.account_id = accounts.account_id
    where accounts.privileged and accounts.status = 'active'
        and (before.account_id is null or not before.privileged or before.status <> 'active')
        and accounts.source in (select source from baseline.accounts)
    having exists (select 1 from baseline.accounts)
    union all
    -- A finding about a person is one on their accounts, as in the number of accounts with findings.
    select 19, 'findings_on_accounts', 'open findings on accounts', count(*)
    from open_findings where finding_id in (select finding_id from reports.finding_accounts)
),

-- Every status and bucket is a bar of its own, even if it is empty.
statuses as (
    select * from (values (1, 'active'), (2, 'inactive'), (3, 'pending'), (4, 'unknown')) as status(position, key)
),

buckets as (
    select * from (values
        (1, 'd30', '0 to 30 days'), (2, 'd45', '31 to 45'), (3, 'd90', '46 to 90'), (4, 'd180', '91 to 180'),
        (5, 'older', 'over 180'), (6, 'never', 'never'), (7, 'unknown', 'unknown')
    ) as bucket(position, key, label)
),

severities as (
    select position, severity as key from reference.severities
),

roles as (
    select
        case when role_rank is null then 'unclassified' else coalesce(role_display_name, role_id) end as key,
        max(role_rank) as role_rank, count(*) as value
    from accounts
    group by case when role_rank is null then 'unclassified' else coalesce(role_display_name, role_id) end
),

-- Long lists keep their largest values; the rest is one number, so that the section still adds up.
ranked_roles as (
    select *, row_number() over (order by value desc, key) as place, count(*) over () as role_count from roles
),

named_roles as (
    select
        case when role_count <= 9 or place <= 8 then key else '(others)' end as key,
        case when role_count <= 9 or place <= 8 then key else (role_count - 8) || ' other roles' end as label,
        case when role_count <= 9 or place <= 8 then role_rank else 101 end as role_rank,
        value
    from ranked_roles
),

kept_roles as (
    select key, max(label) as label, max(role_rank) as role_rank, sum(value) as value from named_roles group by key
),

domains as (
    select coalesce(email_domain, 'no e-mail address') as name, count(*) as value from accounts
    group by coalesce(email_domain, 'no e-mail address')
),

ranked_domains as (
    select *, row_number() over (order by value desc, name) as place from domains
),

departments as (
    select coalesce(department, 'unknown') as name, count(*) as value from accounts group by coalesce(department, 'unknown')
),

ranked_departments as (
    select *, row_number() over (order by value desc, name) as place from departments
),

numbers as (
    select 'headline' as section, position, key, label, value from headline
    union all
    select 'status', statuses.position, statuses.key, statuses.key, count(accounts.account_id)
    from statuses left join accounts on accounts.status = statuses.key
    group by statuses.position, statuses.key
    union all
    select 'last_seen', buckets.position, buckets.key, buckets.label, count(accounts.account_id)
    from buckets left join accounts on accounts.last_seen_position = buckets.position and accounts.status = 'active'
    group by buckets.position, buckets.key, buckets.label
    union all
    select 'severity', severities.position, severities.key, severities.key, count(open_findings.finding_id)
    from severities left join open_findings on open_findings.severity = severities.key
    group by severities.position, severities.key
    union all
    select 'due', 1, 'overdue', 'overdue', count(*) from open_findings where overdue
    union all
    select 'due', 2, 'due_within_7_days', 'due within 7 days', count(*)
    from open_findings
    where not overdue and due_at <= cast($as_of as date) + 7
    union all
    select 'role', row_number() over (order by role_rank, key), key, label, value from kept_roles
    union all
    select 'origin', row_number() over (order by count(*) desc, origin), origin, origin, count(*)
    from accounts group by origin
    union all
    select 'domain', least(place, 11), case when place <= 10 then name else '(others)' end,
        case when place <= 10 then name else 'others' end, sum(value)
    from ranked_domains
    group by least(place, 11), case when place <= 10 then name else '(others)' end,
        case when place <= 10 then name else 'others' end
    union all
    select 'department', least(place, 11), case when place <= 10 then name else '(others)' end,
        case when place <= 10 then name else 'others' end, sum(value)
    from ranked_departments
    group by least(place, 11), case when place <= 10 then name else '(others)' end,
        case when place <= 10 then name else 'others' end
)

select section, cast(position as integer) as position, key, label, cast(value as bigint) as value
from numbers
