-- Number of items by decision, and signs of careless review; reports.review_quality has the same for signed campaigns
-- $campaign: the campaign's name
with

assigned_items as (
    select * from review.assigned_items($campaign)
),

-- Neighbours in a packet with the same decision share the difference between their place and their number.
numbered_decisions as (
    select
        reviewer_email, decision,
        place - row_number() over (partition by reviewer_email, decision order by place) as series
    from assigned_items
    where decision is not null and place is not null
),

runs as (
    select count(*) as length from numbered_decisions group by reviewer_email, decision, series
)

select
    count(*) as items,
    count(*) filter (where decision = 'keep') as kept,
    count(*) filter (where decision = 'remove') as removed,
    count(*) filter (where decision = 'reduce') as reduced,
    count(*) filter (where decision = 'defer') as deferred,
    count(*) filter (where decision = 'exception') as excepted,
    count(*) filter (where decision is null) as pending,
    count(*) filter (where is_high_risk) as high_risk,
    count(distinct reviewer_email) as reviewers,
    count(distinct (source, account_id)) as accounts,
    count(*) filter (where decision = 'keep') / nullif(count(decision), 0) as approval_rate,
    count(*) filter (where decision is not null and method = 'link') as by_link,
    count(*) filter (where decision is not null and method = 'oidc') as by_oidc,
    count(*) filter (where decision is not null and coalesce(method, 'file') = 'file') as by_file,
    count(*) filter (where decision is not null and is_bulk) as in_bulk,
    (select max(length) from runs) as longest_run,
    (select snapshot_items from review.campaigns where campaign = $campaign) as snapshot_items,
    (select snapshot_accounts from review.campaigns where campaign = $campaign) as snapshot_accounts,
    (select count(*) from review.items where campaign = $campaign and exclusion_reason is not null) as left_out
from assigned_items
