-- Which changes were made in the source for each listed account, and what does this extract show of them?
select
    chosen.place as account, made.action, made.target, made.reason, made.campaign, made.applied_at, made.applied_by,
    made.approver, made.approved_at, made.verdict, made.detail
from reports.remediation as made
join lookup_choice as chosen on chosen.source = made.source and chosen.account_id = made.account_id
order by chosen.place, made.applied_at desc, made.change_id
