/*
summary = "One completeness check of the snapshot."
reads   = ["meta.reconciliation"]
grain   = ["source", "check_id"]

[columns]
check_id    = "varchar: the check"
source      = "varchar: the source's name in the configuration"
description = "varchar: what it checks"
expected    = "varchar: what should be"
observed    = "varchar: what is"
difference  = "bigint: how far apart they are"
result      = "varchar: PASS, FAIL or NOT_AVAILABLE"
explanation = "varchar: the result in a sentence"
is_gate     = "boolean: true if a failure makes the extract PARTIAL"
*/
select check_id, source, description, expected, observed, difference, result, explanation, is_gate
from meta.reconciliation
where snapshot_id = $snapshot_id
order by source, is_gate desc, check_id
