-- All mails, the oldest first
select mail_id, kind, recipient, reason_key, subject, delivery, detail, sent_at from mails order by sent_at, mail_id
