-- The facts of a campaign that its page shows
-- $campaign: the campaign's name
select
    campaigns.campaign as name, snapshot.organization, campaigns.snapshot_id, campaigns.scope, campaigns.opened_at,
    campaigns.due_on, signed.signed_at as closed_at
from review.campaigns as campaigns
cross join reference.snapshot as snapshot
left join review.sign_offs as signed on signed.campaign = campaigns.campaign
where campaigns.campaign = $campaign
