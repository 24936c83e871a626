-- Which checks of the extract does the workbook list, those that failed first?
select
    row_number() over (order by result <> 'FAIL', not is_gate, source, check_id) as line,
    source as "Source",
    description as "Check",
    result as "Result",
    case when is_gate then 'yes' else 'no' end as "Decides if complete",
    expected as "Expected",
    observed as "Observed",
    difference as "Difference",
    explanation as "Explanation",
    check_id as "Check id"
from reports.reconciliation
