-- Which findings may a report show, by severity and by the person, group, role, dashboard or data model they are about?
-- $rows: the most findings of one severity
-- Open ones come first, then those that are due first, then privileged accounts. Every row has the numbers of its severity.
with

located_findings as (
    select
        found.*, rules.title,
        -- A finding about an object may name an account, whose person is not what it is about.
        coalesce(
            case when found.subject_type <> 'object' then found.person_id end,
            coalesce(found.source, '') || ':' || found.kind || ':' || found.subject_id
        ) as subject
    from reports.finding_rows as found
    join reports.rule_summary as rules using (rule_id)
),

-- The rows of one person stay together, where the most urgent of them stands.
grouped_findings as (
    select
        *,
        min(due_at) over each_subject as first_due_at,
        bool_or(coalesce(privileged, false)) over each_subject as has_privileged,
        max(days_since_end) over each_subject as longest_since_end,
        min(lower(label)) over each_subject as sorted_label
    from located_findings
    window each_subject as (partition by severity, status, subject)
),

ranked_findings as (
    select
        *,
        row_number() over (
            partition by severity
            order by
                status <> 'open', status, first_due_at nulls last, has_privileged desc, longest_since_end desc nulls last,
                sorted_label, subject, due_at nulls last, title, finding_id
        ) as place,
        count(*) over (partition by severity) as total,
        count(*) filter (where status = 'open') over (partition by severity) as open_findings
    from grouped_findings
)

select * exclude (first_due_at, has_privileged, longest_since_end, sorted_label)
from ranked_findings
where place <= $rows
order by severity_rank, place
