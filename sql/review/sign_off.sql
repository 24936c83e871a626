-- The recorded sign-off of a campaign
-- $campaign: the campaign's name
select signed_by, signed_email, signed_role, signed_at, manifest_sha256
from review.sign_offs
where campaign = $campaign
