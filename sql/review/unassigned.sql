-- Items of a campaign for which no reviewer was found
-- $campaign: the campaign's name
select
    coalesce(display_name, account_id) || ' - ' || entitlement_type || ' '
        || coalesce(entitlement_name, entitlement_id) as item
from review.items
where campaign = $campaign and exclusion_reason is null and reviewer_email is null
order by item
