/*
summary = "One role or group of one account that one finding names. A segregation of duties conflict names both sides."
reads   = ["findings.register"]
grain   = ["finding_id", "source", "account_id", "entitlement_type", "entitlement_id"]

[columns]
finding_id       = "varchar: the finding"
rule_id          = "varchar: its rule"
title            = "varchar: title of the rule"
status           = "varchar: open, accepted_risk or out_of_scope"
source           = "varchar: the account's source"
account_id       = "varchar: the account"
entitlement_type = "varchar: role or group"
entitlement_id   = "varchar: its id"
side             = "varchar: left or right if the finding is a conflict between two sides; otherwise null"
*/
with

named_groups as (
    select finding_id, rule_id, title, status, source, account_id, evidence ->> 'group_id' as group_id
    from findings.register
    where account_id is not null and (evidence ->> 'group_id') is not null
),

named_access as (
    select
        finding_id, rule_id, title, status,
        unnest(
            cast(evidence -> 'access' as struct(
                side varchar, source varchar, account_id varchar, entitlement_type varchar, entitlement_id varchar
            )[])
        ) as access
    from findings.register
    where (evidence -> 'access') is not null
)

select
    finding_id, rule_id, title, status, source, account_id, 'group' as entitlement_type, group_id as entitlement_id,
    cast(null as varchar) as side
from named_groups
union all
select
    finding_id, rule_id, title, status, access.source as source, access.account_id as account_id,
    access.entitlement_type as entitlement_type, access.entitlement_id as entitlement_id,
    min(access.side) as side
from named_access
group by
    finding_id, rule_id, title, status, access.source, access.account_id, access.entitlement_type,
    access.entitlement_id

/* example
name = "a finding names a group of its account, or roles and groups of several accounts"
given."findings.register" = [
  { finding_id = "a", rule_id = "any_rule", subject_type = "person", subject_id = "ada", status = "open", evidence = '{"access":[{"side":"left","source":"s","account_id":"1","entitlement_type":"role","entitlement_id":"r"},{"side":"right","source":"t","account_id":"2","entitlement_type":"group","entitlement_id":"g"}]}' },
  { finding_id = "b", rule_id = "groups", source = "s", subject_type = "account", subject_id = "3", account_id = "3", status = "open", evidence = '{"group_id":"g"}' },
  { finding_id = "c", rule_id = "accounts", source = "s", subject_type = "account", subject_id = "3", account_id = "3", status = "open" },
]
expect = [
  { finding_id = "a", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", side = "left" },
  { finding_id = "a", source = "t", account_id = "2", entitlement_type = "group", entitlement_id = "g", side = "right" },
  { finding_id = "b", source = "s", account_id = "3", entitlement_type = "group", entitlement_id = "g", side = "<null>" },
]
*/
