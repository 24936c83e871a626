/*
summary = "One value that a row rule names, as a keyed hash. The value itself is never stored."
reads   = ["raw.row_rules"]
grain   = ["source", "row_rule_id", "value_hash"]

[columns]
source      = "varchar: the source's name in the configuration"
row_rule_id = "varchar: the rule"
value_hash  = "varchar: HMAC-SHA-256 of the value; equal values have equal hashes in one database"
*/
with

hashes as (
    select
        source, payload ->> '$._id' as row_rule_id,
        unnest(json_transform(payload, '{"valueHashes": ["VARCHAR"]}').valueHashes) as value_hash
    from raw.row_rules
    where snapshot_id = $snapshot_id and is_accepted
)

select distinct source, row_rule_id, value_hash from hashes where row_rule_id is not null and value_hash is not null

/* example
name = "each value counts once"
given."raw.row_rules" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"1","valueHashes":["a","b","a"]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"_id":"2","valueHashes":[]}' },
]
expect = [ { row_rule_id = "1", value_hash = "a" }, { row_rule_id = "1", value_hash = "b" } ]
*/
