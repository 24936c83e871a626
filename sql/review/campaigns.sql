-- Every campaign, in the order in which they were opened, and its sign-off if there is one
select
    c.campaign, c.snapshot_id, c.build_id, c.scope, c.due_on, c.opened_at, signed.signed_at,
    signed.folder as sign_off_folder, signed.signed_by
from review.campaigns as c
left join review.sign_offs as signed on signed.campaign = c.campaign
order by c.opened_at, c.campaign
