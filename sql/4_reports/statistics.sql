/*
summary = "One value of one property of the accounts, and how many have it. The rows of a property add up to the population."
reads   = ["reports.population"]
grain   = ["property", "position"]

[columns]
property      = "varchar: source, role, status, account_type, origin, domain, department or last_seen"
position      = "integer: place in its property"
key           = "varchar: stable name of the value"
label         = "varchar: text for readers"
accounts      = "bigint: accounts that have it"
active        = "bigint: those that are active"
privileged    = "bigint: those that are privileged"
with_findings = "bigint: those with an open finding"
share         = "double: part of the population, 0 to 1"
*/
with

accounts as (
    select
        source,
        case when role_rank is null then 'unclassified' else coalesce(role_display_name, role_id) end as role,
        coalesce(role_rank, 101) as role_rank,
        status,
        account_type,
        origin,
        coalesce(email_domain, 'no e-mail address') as domain,
        coalesce(department, 'unknown') as department,
        case
            when login_state = 'never' then 'never'
            when login_state = 'unknown' then 'unknown'
            when days_since_seen <= 30 then 'd30'
            when days_since_seen <= 45 then 'd45'
            when days_since_seen <= 90 then 'd90'
            when days_since_seen <= 180 then 'd180'
            else 'older'
        end as last_seen,
        privileged,
        finding_count
    from reports.population
),

-- Scan the accounts once; the following steps use these far fewer rows.
combinations as (
    select
        source, role, role_rank, status, account_type, origin, domain, department, last_seen,
        count(*) as accounts,
        count(*) filter (where privileged) as privileged,
        count(*) filter (where finding_count > 0) as with_findings
    from accounts
    group by source, role, role_rank, status, account_type, origin, domain, department, last_seen
),

-- Every status and bucket is a row of its own, even if it is empty; so are "never" and "unknown".
fixed_values as (
    select * from (values
        ('status', 1, 'active', 'active'), ('status', 2, 'inactive', 'inactive'), ('status', 3, 'pending', 'pending'),
        ('status', 4, 'unknown', 'unknown'),
        ('account_type', 1, 'human', 'human'), ('account_type', 2, 'service', 'service'),
        ('account_type', 3, 'shared', 'shared'), ('account_type', 4, 'break_glass', 'break glass'),
        ('account_type', 5, 'unknown', 'unknown'),
        ('last_seen', 1, 'd30', '0 to 30 days'), ('last_seen', 2, 'd45', '31 to 45 days'),
        ('last_seen', 3, 'd90', '46 to 90 days'), ('last_seen', 4, 'd180', '91 to 180 days'),
        ('last_seen', 5, 'older', 'over 180 days'), ('last_seen', 6, 'never', 'never'),
        ('last_seen', 7, 'unknown', 'unknown')
    ) as value(property, position, key, label)
),

-- A higher weight comes first: roles by ascending rank, other values by frequency.
counts as (
    select 'source' as property, source as key, sum(accounts) as weight, sum(accounts) as accounts,
        coalesce(sum(accounts) filter (where status = 'active'), 0) as active, sum(privileged) as privileged,
        sum(with_findings) as with_findings
    from combinations group by source
    union all
    select 'role', role, -max(role_rank), sum(accounts), coalesce(sum(accounts) filter (where status = 'active'), 0),
        sum(privileged), sum(with_findings)
    from combinations group by role
    union all
    select 'status', status, 0, sum(accounts), coalesce(sum(accounts) filter (where status = 'active'), 0),
        sum(privileged), sum(with_findings)
    from combinations group by status
    union all
    select 'account_type', account_type, 0, sum(accounts),
        coalesce(sum(accounts) filter (where status = 'active'), 0), sum(privileged), sum(with_findings)
    from combinations group by account_type
    union all
    select 'origin', origin, sum(accounts), sum(accounts),
        coalesce(sum(accounts) filter (where status = 'active'), 0), sum(privileged), sum(with_findings)
    from combinations group by origin
    union all
    select 'domain', domain, sum(accounts), sum(accounts),
        coalesce(sum(accounts) filter (where status = 'active'), 0), sum(privileged), sum(with_findings)
    from combinations group by domain
    union all
    select 'department', department, sum(accounts), sum(accounts),
        coalesce(sum(accounts) filter (where status = 'active'), 0), sum(privileged), sum(with_findings)
    from combinations group by department
    union all
    select 'last_seen', last_seen, 0, sum(accounts), coalesce(sum(accounts) filter (where status = 'active'), 0),
        sum(privileged), sum(with_findings)
    from combinations group by last_seen
),

ranked_values as (
    select
        coalesce(fixed_values.property, counts.property) as property,
        coalesce(fixed_values.key, counts.key) as key,
        coalesce(fixed_values.label, counts.key) as label,
        coalesce(fixed_values.position, row_number() over (
            partition by coalesce(fixed_values.property, counts.property) order by counts.weight desc, counts.key
        )) as place,
        counts.accounts, counts.active, counts.privileged, counts.with_findings
    from counts
    full outer join fixed_values on fixed_values.property = counts.property and fixed_values.key = counts.key
),

-- Long lists keep their first 25 values; the rest is one row, so that the property still adds up.
listed_values as (
    select
        property,
        least(place, 26) as position,
        case when place <= 25 then key else '(others)' end as key,
        case when place <= 25 then label else '(others)' end as label,
        accounts, active, privileged, with_findings
    from ranked_values
),

total as (
    select count(*) as accounts from reports.population
)

select
    listed_values.property,
    cast(listed_values.position as integer) as position,
    listed_values.key,
    case when listed_values.position = 26 then cast(count(*) as varchar) || ' others' else max(listed_values.label) end as label,
    cast(coalesce(sum(listed_values.accounts), 0) as bigint) as accounts,
    cast(coalesce(sum(listed_values.active), 0) as bigint) as active,
    cast(coalesce(sum(listed_values.privileged), 0) as bigint) as privileged,
    cast(coalesce(sum(listed_values.with_findings), 0) as bigint) as with_findings,
    case when max(total.accounts) = 0 then 0.0 else coalesce(sum(listed_values.accounts), 0) / max(total.accounts) end as share
from listed_values
cross join total
group by listed_values.property, listed_values.position, listed_values.key

/* example
name = "every bucket is there, never and unknown apart, and each property adds up"
given."reports.population" = [
  { source = "s", account_id = "1", status = "active", account_type = "human", origin = "local", role_rank = 90, role_display_name = "Admin", email_domain = "a.example", login_state = "seen", days_since_seen = 30, privileged = true, finding_count = 1 },
  { source = "s", account_id = "2", status = "inactive", account_type = "unknown", origin = "sso", role_rank = 10, role_display_name = "Viewer", department = "Sales", login_state = "never", privileged = false, finding_count = 0 },
]
expect = [
  { property = "source", position = 1, key = "s", accounts = 2, active = 1, privileged = 1, with_findings = 1, share = 1.0 },
  { property = "role", position = 1, key = "Viewer", accounts = 1, active = 0 },
  { property = "role", position = 2, key = "Admin", accounts = 1, active = 1, privileged = 1 },
  { property = "status", position = 1, key = "active", accounts = 1 },
  { property = "status", position = 2, key = "inactive", accounts = 1 },
  { property = "status", position = 3, key = "pending", accounts = 0 },
  { property = "status", position = 4, key = "unknown", accounts = 0 },
  { property = "account_type", position = 1, key = "human", accounts = 1 },
  { property = "account_type", position = 2, key = "service", accounts = 0 },
  { property = "account_type", position = 3, key = "shared", accounts = 0 },
  { property = "account_type", position = 4, key = "break_glass", accounts = 0 },
  { property = "account_type", position = 5, key = "unknown", accounts = 1 },
  { property = "origin", position = 1, key = "local", accounts = 1 },
  { property = "origin", position = 2, key = "sso", accounts = 1 },
  { property = "domain", position = 1, key = "a.example", accounts = 1 },
  { property = "domain", position = 2, key = "no e-mail address", accounts = 1 },
  { property = "department", position = 1, key = "Sales", accounts = 1 },
  { property = "department", position = 2, key = "unknown", accounts = 1 },
  { property = "last_seen", position = 1, key = "d30", accounts = 1, share = 0.5 },
  { property = "last_seen", position = 2, key = "d45", accounts = 0 },
  { property = "last_seen", position = 3, key = "d90", accounts = 0 },
  { property = "last_seen", position = 4, key = "d180", accounts = 0 },
  { property = "last_seen", position = 5, key = "older", accounts = 0 },
  { property = "last_seen", position = 6, key = "never", accounts = 1, active = 0 },
  { property = "last_seen", position = 7, key = "unknown", accounts = 0 },
]
*/
