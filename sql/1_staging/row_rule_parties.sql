/*
summary = "One account or group that a row rule is for. A default rule is for all who have no other rule for the column."
reads   = ["raw.row_rules"]
grain   = ["source", "row_rule_id", "party_type", "party_id"]

[columns]
source      = "varchar: the source's name in the configuration"
row_rule_id = "varchar: the rule"
party_type  = "varchar: user, group, default or unknown"
party_id    = "varchar: the account or group; empty for default and if the source does not say"
*/
with

shares as (
    select
        source, payload ->> '$._id' as row_rule_id,
        -- without a list of parties, the rule is for a party that is not known
        unnest(coalesce(
            json_transform(
                payload, '{"shares": [{"partyId": "VARCHAR", "party": "VARCHAR", "type": "VARCHAR"}]}'
            ).shares,
            [null]
        )) as share
    from raw.row_rules
    where snapshot_id = $snapshot_id and is_accepted
)

select distinct
    source,
    row_rule_id,
    case when lower(share.type) in ('user', 'group', 'default') then lower(share.type) else 'unknown' end as party_type,
    case
        when lower(share.type) = 'default' then ''
        else coalesce(usable_id(share.partyId), usable_id(share.party), '')
    end as party_id
from shares
where row_rule_id is not null

/* example
name = "the default has no id, whatever the source sends; a rule without a list of parties is for an unknown one, an empty list is for nobody"
given."raw.row_rules" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"1","shares":[{"partyId":"a","type":"user"},{"party":"g","type":"group"},{"type":"default","partyId":"x"},{"type":"team","partyId":"t"},{"type":"user"}]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"_id":"2","shares":null}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"_id":"3","shares":[]}' },
]
expect = [
  { row_rule_id = "1", party_type = "user", party_id = "a" }, { row_rule_id = "1", party_type = "group", party_id = "g" },
  { row_rule_id = "1", party_type = "default", party_id = "" }, { row_rule_id = "1", party_type = "unknown", party_id = "t" },
  { row_rule_id = "1", party_type = "user", party_id = "" }, { row_rule_id = "2", party_type = "unknown", party_id = "" },
]
*/
