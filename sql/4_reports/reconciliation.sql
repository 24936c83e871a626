/*
summary = "One completeness check of the snapshot."
reads   = ["meta.reconciliation"]
grain   = ["source", "check_id"]

[columns]
check_id    = "varchar: the check"
source      = "varchar: the source's name in the configuration"
description = "varchar: what the check compares"
expected    = "varchar: what should be"
observed    = "varchar: the observed value"
difference  = "bigint: difference between the two"
result      = "varchar: PASS, FAIL or NOT_AVAILABLE"
explanation = "varchar: the result in a sentence"
is_gate     = "boolean: a failure makes the snapshot PARTIAL"
*/
select check_id, source, description, expected, observed, difference, result, explanation, is_gate
from meta.reconciliation
where snapshot_id = $snapshot_id
