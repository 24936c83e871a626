-- Adds a mail that is about to be sent, unless it was before
-- $mail_id: its random id
-- $kind: invitation, reminder or reassignment
-- $reason_key: what it is sent for
-- $recipient: e-mail address
-- $subject: subject line
-- $sent_at: now
insert into mails (mail_id, kind, recipient, reason_key, subject, delivery, sent_at)
values ($mail_id, $kind, $recipient, $reason_key, $subject, 'sending', $sent_at)
on conflict do nothing
