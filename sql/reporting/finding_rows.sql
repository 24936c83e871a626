-- Which findings of each rule may a report show?
-- $rows: the most findings of one rule
-- The most severe come first, then privileged accounts, then those of the people who left longest ago.
with ranked_findings as (
    select
        *,
        row_number() over (
            partition by rule_id
            order by severity_rank, privileged desc nulls last, days_since_end desc nulls last, lower(label), finding_id
        ) as place
    from reports.finding_rows
)

select * exclude (place)
from ranked_findings
where place <= $rows
order by rule_id, place
