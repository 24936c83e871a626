-- What stands in the way of signing a campaign off, an item a row
-- $campaign: the campaign's name
with

own_addresses as (
    select source, account_id, lower(email) as address from review.items where campaign = $campaign
    union
    select source, account_id, lower(user_name) from review.items where campaign = $campaign
    union
    select items.source, items.account_id, lower(people.email)
    from review.items as items
    join policy.roster as people on people.person_id = items.person_id
    where items.campaign = $campaign
    union
    select items.source, items.account_id, lower(unnest(people.aliases))
    from review.items as items
    join policy.roster as people on people.person_id = items.person_id
    where items.campaign = $campaign
),

judged as (
    select
        item.item_id, item.reviewer_email, item.display_name, item.entitlement_name,
        case
            when item.decision is null then 'not decided yet'
            when own.address is not null then 'decided by the holder of the account'
            when item.is_high_risk and item.decision in ('keep', 'remove', 'reduce') and item.reason is null
                then 'high risk, decided without a reason'
        end as problem
    from current_items as item
    left join own_addresses as own
        on own.source = item.source and own.account_id = item.account_id and own.address = lower(item.decided_by)
)

select problem, item_id, reviewer_email, display_name, entitlement_name
from judged
where problem is not null
order by problem, reviewer_email, item_id
