-- Is an extract complete? Every check with its expected and observed values, failed checks first.
-- $snapshot: the snapshot's id
select source, check_id, result, expected, observed, difference, is_gate, explanation
from meta.reconciliation
where snapshot_id = $snapshot
order by result <> 'FAIL', not is_gate, source, check_id
