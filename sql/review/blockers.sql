-- Items that block the sign-off of a campaign, each with its problem
-- $campaign: the campaign's name
with

assigned_items as (
    select * from review.assigned_items($campaign)
),

-- Items without a reviewer count too: their accounts belong to the same people.
holders as (
    select distinct source, account_id, person_id, match_key(email) as email, match_key(user_name) as user_name
    from review.items
    where campaign = $campaign
),

person_addresses as (
    select person_id, email as address from holders
    union
    select person_id, user_name from holders
    union
    select person_id, match_key(email) from policy.roster
    union
    select person_id, match_key(unnest(aliases)) from policy.roster
),

-- A reviewer may be known by any address of the person, in any source.
holder_addresses as (
    select source, account_id, email as address from holders
    union
    select source, account_id, user_name from holders
    union
    select holders.source, holders.account_id, person_addresses.address
    from holders
    join person_addresses on person_addresses.person_id = holders.person_id
),

checked_items as (
    select
        item.item_id, item.reviewer_email, item.display_name, item.entitlement_name,
        case
            when item.decision is null then 'not decided yet'
            when own.address is not null then 'decided by the holder of the account'
            when item.is_high_risk and item.reason is null
                then 'high risk, decided without a reason'
        end as problem
    from assigned_items as item
    left join holder_addresses as own
        on own.source = item.source and own.account_id = item.account_id and own.address = match_key(item.decided_by)
)

select problem, item_id, reviewer_email, display_name, entitlement_name
from checked_items
where problem is not null
order by problem, reviewer_email, item_id
