-- What stands in the way of signing a campaign off, an item a row
-- $campaign: the campaign's name
with

holders as (
    select distinct source, account_id, person_id, match_key(email) as email, match_key(user_name) as user_name
    from review.items
    where campaign = $campaign
),

addresses as (
    select person_id, email as address from holders
    union
    select person_id, user_name from holders
    union
    select person_id, match_key(email) from policy.roster
    union
    select person_id, match_key(unnest(aliases)) from policy.roster
),

-- Whoever decides may be known by any address of the person, from any source.
own_addresses as (
    select source, account_id, email as address from holders
    union
    select source, account_id, user_name from holders
    union
    select holders.source, holders.account_id, addresses.address
    from holders
    join addresses on addresses.person_id = holders.person_id
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
        on own.source = item.source and own.account_id = item.account_id and own.address = match_key(item.decided_by)
)

select problem, item_id, reviewer_email, display_name, entitlement_name
from judged
where problem is not null
order by problem, reviewer_email, item_id
