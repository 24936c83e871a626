-- Which checks did the extracts make that only an extract can make? Of several shards, the worst result counts.
-- $computed: the checks that are made of the merged rows instead
-- $computed_by_list: those that are made so for each list; their ids begin with the name of the list
with

-- "merged_checks" is made by the program: the rows of meta.reconciliation of all parts, with the number of the shard.
-- A shard alone is incomplete; a merge has them all.
extracted_checks as (
    select *, count(*) over (partition by source, check_id) as part_count
    from temp.merged_checks
    where not list_contains($computed, check_id) and check_id <> 'shard_alone'
        and not list_contains(list_transform($computed_by_list, lambda name: ends_with(check_id, '_' || name)), true)
)

select
    source, check_id, description, expected, observed, difference, result,
    case when part_count > 1 then 'Shard ' || number || ': ' else '' end || explanation as explanation, is_gate
from extracted_checks
qualify row_number() over (
    partition by source, check_id
    order by case result when 'FAIL' then 1 when 'NOT_AVAILABLE' then 2 else 3 end, number
) = 1
order by source, check_id
