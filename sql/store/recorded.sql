-- Ids of all decisions and reassignments, and which of both each is
select decision_id as id, 'decision' as kind from decisions
union all
select reassignment_id, 'reassignment' from reassignments
