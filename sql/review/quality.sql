-- What was decided, and how: the sum adds up to the items. As reports.review_quality says it later, of this moment.
-- $campaign: the campaign's name
with

numbered as (
    select
        reviewer_email, decision, place, place - row_number() over (partition by reviewer_email, decision order by place) as series
    from current_items
    where decision is not null and place is not null
),

-- Neighbours in the packet with the same decision share the difference of both places.
runs as (
    select reviewer_email, decision, series, count(*) as length from numbered group by reviewer_email, decision, series
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
    (select max(length) from runs) as longest_run,
    (select snapshot_items from review.campaigns where campaign = $campaign) as snapshot_items,
    (select snapshot_accounts from review.campaigns where campaign = $campaign) as snapshot_accounts,
    (select count(*) from review.items where campaign = $campaign and exclusion_reason is not null) as left_out
from current_items
