/*
summary = "One recipient of one report that the source sends by mail."
reads   = ["raw.mailed_reports"]
grain   = ["source", "mailed_report_id", "recipient_type", "recipient_id", "email_key"]

[columns]
source           = "varchar: the source's name in the configuration"
mailed_report_id = "varchar: the source's own id of the report"
recipient_type   = "varchar: user, group, email (an address without an account) or unknown"
recipient_id     = "varchar: the account or group; it may not exist; empty if the source does not say"
email            = "varchar: the address, trimmed; null if the source does not say"
email_key        = "varchar: the address, normalised for comparison; empty if there is none"
*/
with

recipients as (
    select
        source, payload ->> '$._id' as mailed_report_id,
        unnest(json_transform(
            payload, '{"recipients": [{"type": "VARCHAR", "id": "VARCHAR", "email": "VARCHAR"}]}'
        ).recipients) as recipient
    from raw.mailed_reports
    where snapshot_id = $snapshot_id and is_accepted
)

select
    source,
    mailed_report_id,
    case when lower(recipient.type) in ('user', 'group', 'email') then lower(recipient.type) else 'unknown' end
        as recipient_type,
    coalesce(usable_id(recipient.id), '') as recipient_id,
    min(trimmed(recipient.email)) as email,
    coalesce(match_key(recipient.email), '') as email_key
from recipients
where mailed_report_id is not null and recipient is not null
group by 1, 2, 3, 4, 6

/* example
name = "accounts and groups have ids, addresses without an account none; each counts once"
given."raw.mailed_reports" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"1","recipients":[{"type":"user","id":"a","email":"Ann@example.com"},{"type":"group","id":"g"},{"type":"email","email":" x@partner.test "},{"type":"email","email":"X@partner.test"},{"type":"robot","id":"r"}]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"_id":"2","recipients":[]}' },
]
expect = [
  { recipient_type = "user", recipient_id = "a", email = "Ann@example.com", email_key = "ann@example.com" },
  { recipient_type = "group", recipient_id = "g", email = "<null>", email_key = "" },
  { recipient_type = "email", recipient_id = "", email_key = "x@partner.test" },
  { recipient_type = "unknown", recipient_id = "r", email_key = "" },
]
*/
