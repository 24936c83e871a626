/*
summary = "One entitlement that one account holds in an application that is read from files. If it came twice, the first record is kept."
reads   = ["raw.file_grants"]
grain   = ["source", "account_id", "entitlement_id"]

[columns]
source         = "varchar: the source's name in the configuration"
account_id     = "varchar: the account"
entitlement_id = "varchar: the role, group or permission"
path           = "varchar: how the account came to it, in the words of the file"
*/
with

records as (
    select source, page, ordinal,
        json_transform(payload, '{"account_id": "VARCHAR", "entitlement_id": "VARCHAR", "path": "VARCHAR"}') as record
    from raw.file_grants
    where snapshot_id = $snapshot_id and is_accepted
)

select
    source,
    record.account_id as account_id,
    record.entitlement_id as entitlement_id,
    trimmed(record.path) as path
from records
where record.account_id is not null and record.entitlement_id is not null
qualify row_number() over (
    partition by source, record.account_id, record.entitlement_id order by page, ordinal
) = 1

/* example
name = "a grant that came twice is there once, by its first record"
given."raw.file_grants" = [
  { snapshot_id = "example", source = "f", page = 1, ordinal = 1, is_accepted = true, payload = '{"account_id":"a","entitlement_id":"r","path":"team Payroll"}' },
  { snapshot_id = "example", source = "f", page = 1, ordinal = 2, is_accepted = true, payload = '{"account_id":"a","entitlement_id":"r"}' },
  { snapshot_id = "earlier", source = "f", page = 1, ordinal = 1, is_accepted = true, payload = '{"account_id":"b","entitlement_id":"r"}' },
]
expect = [ { account_id = "a", entitlement_id = "r", path = "team Payroll" } ]
*/
