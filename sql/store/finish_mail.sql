-- Records what became of a mail
-- $mail_id: the mail
-- $delivery: sent, written, failed or uncertain
-- $detail: path of the file, or why the server refused it
-- $sent_at: now
update mails set delivery = $delivery, detail = $detail, sent_at = $sent_at where mail_id = $mail_id
