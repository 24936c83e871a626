-- Which rows of reviews belong to a campaign or an item that the database does not have?
with

without_campaign as (
    select 'review.items' as place, campaign from review.items
    union all
    select 'review.decisions' as place, campaign from review.decisions
    union all
    select 'review.reassignments' as place, campaign from review.reassignments
    union all
    select 'review.mails' as place, campaign from review.mails
    union all
    select 'review.sign_offs' as place, campaign from review.sign_offs
    union all
    select 'review.changes' as place, campaign from review.changes where campaign is not null
    union all
    select 'review.plans' as place, campaign from review.plans where campaign is not null
),

without_item as (
    select 'review.decisions' as place, campaign, item_id from review.decisions
    union all
    select 'review.reassignments' as place, campaign, item_id from review.reassignments
)

select found.place, counted(count(*), 'row') || ' of the unknown campaign ' || found.campaign as problem
from without_campaign as found
anti join review.campaigns as campaigns on campaigns.campaign = found.campaign
group by found.place, found.campaign
union all
select found.place, counted(count(*), 'row') || ' of unknown items of the campaign ' || found.campaign as problem
from without_item as found
join review.campaigns as campaigns on campaigns.campaign = found.campaign
anti join review.items as items on items.campaign = found.campaign and items.item_id = found.item_id
group by found.place, found.campaign
order by place, problem
