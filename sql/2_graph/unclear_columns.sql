/*
summary = "One column of a data model with a row rule that does not say which account or group it is for. It may be for any of them."
reads   = ["staging.row_rules", "staging.row_rule_parties"]
grain   = ["source", "model_id", "table_name", "column_name"]

[columns]
source      = "varchar: the source's name in the configuration"
model_id    = "varchar: the model"
table_name  = "varchar: the table"
column_name = "varchar: the column that rows are filtered by"
*/
select distinct
    rule.source,
    rule.model_id,
    coalesce(rule.table_name, '') as table_name,
    coalesce(rule.column_name, '') as column_name
from staging.row_rules as rule
join staging.row_rule_parties as party on party.source = rule.source and party.row_rule_id = rule.row_rule_id
where party.party_type = 'unknown' or (party.party_type <> 'default' and coalesce(party.party_id, '') = '')

/* example
name = "a party of unknown type, or without an id, makes the column unclear; the default and a party that does not exist do not"
given."staging.row_rules" = [
  { source = "s", row_rule_id = "1", model_id = "m", table_name = "T", column_name = "unknown type", effect = "allow" },
  { source = "s", row_rule_id = "2", model_id = "m", table_name = "T", column_name = "no id", effect = "allow" },
  { source = "s", row_rule_id = "3", model_id = "m", table_name = "T", column_name = "default", effect = "allow" },
  { source = "s", row_rule_id = "4", model_id = "m", table_name = "T", column_name = "user", effect = "allow" },
  { source = "s", row_rule_id = "5", model_id = "m", table_name = "T", column_name = "for nobody", effect = "allow" },
  { source = "t", row_rule_id = "4", model_id = "m", table_name = "T", column_name = "user", effect = "allow" },
]
given."staging.row_rule_parties" = [
  { source = "s", row_rule_id = "1", party_type = "unknown", party_id = "x" },
  { source = "s", row_rule_id = "2", party_type = "user", party_id = "" },
  { source = "s", row_rule_id = "3", party_type = "default", party_id = "" },
  { source = "s", row_rule_id = "4", party_type = "user", party_id = "gone" },
  { source = "t", row_rule_id = "4", party_type = "unknown", party_id = "" },
]
expect = [
  { source = "s", model_id = "m", table_name = "T", column_name = "unknown type" },
  { source = "s", model_id = "m", table_name = "T", column_name = "no id" },
  { source = "t", model_id = "m", table_name = "T", column_name = "user" },
]
*/
