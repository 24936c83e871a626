-- Adds mails that are not there yet
-- $campaign: the campaign's name
-- $rows: the mails, as a list of objects in JSON
-- $imported_at: now
insert into review.mails by name
with

incoming as (
    select unnest(
        from_json($rows, '[{
            "mail_id": "varchar", "kind": "varchar", "recipient": "varchar", "reason_key": "varchar",
            "subject": "varchar", "delivery": "varchar", "detail": "varchar", "sent_at": "timestamp"
        }]'),
        recursive := true
    )
)

select $campaign as campaign, incoming.*, $imported_at::timestamp as imported_at
from incoming
where incoming.mail_id not in (select mail_id from review.mails where campaign = $campaign)
