-- Which actions are the most urgent? One row for all open findings of one rule at one severity.
-- Critical ones come first, then those that are overdue, then by severity and by the day they are due.
with

open_findings as (
    select
        *,
        -- A finding about an object may name an account, whose person is not what it is about.
        coalesce(
            case when subject_type <> 'object' then person_id end, coalesce(source, '') || ':' || kind || ':' || subject_id
        ) as subject
    from reports.finding_rows
    where status = 'open'
),

subjects as (
    select rule_id, severity, subject, min(label) as label, bool_or(overdue) as is_overdue, min(due_at) as due_at
    from open_findings
    group by rule_id, severity, subject
),

subject_lists as (
    select
        rule_id, severity, count(*) as subjects,
        list(label order by is_overdue desc, due_at nulls last, lower(label), subject)[:4] as names
    from subjects
    group by rule_id, severity
),

owners as (
    select rule_id, severity, owner_email, min(owner) as owner, count(*) as findings
    from open_findings
    group by rule_id, severity, owner_email
),

owner_lists as (
    select
        rule_id, severity, count(owner_email) as owners,
        cast(coalesce(sum(findings) filter (where owner_email is null), 0) as bigint) as unowned,
        coalesce(list(owner order by findings desc, owner, owner_email) filter (where owner_email is not null), [])[:2]
            as names_of_owners
    from owners
    group by rule_id, severity
),

actions as (
    select
        rule_id, severity, min(severity_rank) as severity_rank, count(*) as findings,
        count(*) filter (where overdue) as overdue, min(due_at) as due_at
    from open_findings
    group by rule_id, severity
)

select
    actions.*, rules.title, rules.remediation as recommended_action, subject_lists.subjects, subject_lists.names,
    owner_lists.owners, owner_lists.names_of_owners, owner_lists.unowned
from actions
join reports.rule_summary as rules on rules.rule_id = actions.rule_id
join subject_lists on subject_lists.rule_id = actions.rule_id and subject_lists.severity = actions.severity
join owner_lists on owner_lists.rule_id = actions.rule_id and owner_lists.severity = actions.severity
order by
    case when actions.severity_rank = 1 then 1 when actions.overdue > 0 then 2 else 3 end,
    actions.severity_rank, actions.due_at nulls last, actions.findings desc, rules.title, actions.rule_id
