-- All mails of a campaign
-- $campaign: the campaign's name
select mail_id, kind, recipient, reason_key, subject, delivery, detail, sent_at
from review.mails
where campaign = $campaign
order by sent_at, mail_id
