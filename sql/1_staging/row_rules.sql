/*
summary = "One row rule of a data model: which rows of one column it lets through, for the parties in staging.row_rule_parties."
reads   = ["raw.row_rules"]
grain   = ["source", "row_rule_id"]

[columns]
source      = "varchar: the source's name in the configuration"
row_rule_id = "varchar: the source's own id"
model_id    = "varchar: the model"
table_name  = "varchar: the table"
column_name = "varchar: the column that rows are filtered by"
effect      = "varchar: everything, nothing, allow (only its values), block (all but its values), or unknown"
value_count = "bigint: number of values that it names"
*/
with

records as (
    select
        source, page, ordinal,
        coalesce(json_type(payload, '$.allMembers'), 'NULL') in ('BOOLEAN', 'NULL')
        and coalesce(json_type(payload, '$.exclusionary'), 'NULL') in ('BOOLEAN', 'NULL')
        and coalesce(json_type(payload, '$.valueHashes') = 'ARRAY', false) as is_readable,
        json_transform(payload, '{
            "_id": "VARCHAR", "modelId": "VARCHAR", "table": "VARCHAR", "column": "VARCHAR", "allMembers": "VARCHAR",
            "exclusionary": "VARCHAR", "valueHashes": ["VARCHAR"]
        }') as record
    from raw.row_rules
    where snapshot_id = $snapshot_id and is_accepted
)

select
    source,
    record._id as row_rule_id,
    record.modelId as model_id,
    record.table as table_name,
    record.column as column_name,
    case
        when not is_readable then 'unknown'
        when record.allMembers = 'true' then 'everything'
        when len(record.valueHashes) = 0 then 'nothing'
        when record.exclusionary = 'true' then 'block'
        else 'allow'
    end as effect,
    cast(len(record.valueHashes) as bigint) as value_count
from records
where record._id is not null and record.modelId is not null
qualify row_number() over (partition by source, record._id order by page, ordinal) = 1

/* example
name = "a rule means what its three fields say; a rule whose fields cannot be read is unknown"
given."raw.row_rules" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"1","modelId":"m","table":"T","column":"C","allMembers":true,"valueHashes":["a"]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"_id":"2","modelId":"m","table":"T","column":"C","allMembers":false,"valueHashes":[]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"_id":"3","modelId":"m","table":"T","column":"C","allMembers":null,"exclusionary":true,"valueHashes":[]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 4, is_accepted = true, payload = '{"_id":"4","modelId":"m","table":"T","column":"C","allMembers":false,"valueHashes":["a","b"]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 5, is_accepted = true, payload = '{"_id":"5","modelId":"m","table":"T","column":"C","allMembers":null,"exclusionary":true,"valueHashes":["a"]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 6, is_accepted = true, payload = '{"_id":"6","modelId":"m","table":"T","column":"C","allMembers":"yes","valueHashes":[]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 7, is_accepted = true, payload = '{"_id":"7","modelId":"m","table":"T","column":"C"}' },
]
expect = [
  { row_rule_id = "1", effect = "everything", value_count = 1 }, { row_rule_id = "2", effect = "nothing", value_count = 0 },
  { row_rule_id = "3", effect = "nothing" }, { row_rule_id = "4", effect = "allow", value_count = 2 },
  { row_rule_id = "5", effect = "block", value_count = 1 }, { row_rule_id = "6", effect = "unknown" },
  { row_rule_id = "7", effect = "unknown", value_count = "<null>" },
]
*/
