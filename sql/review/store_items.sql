-- The assigned items of a campaign, as the page of its reviewers shows them
-- $campaign: the campaign's name
select
    item_id, coalesce(card_id, substr(sha256(source || chr(31) || account_id), 1, 16)) as card_id,
    coalesce(position, row_number() over (order by position, attention, place, item_id)) as position,
    source, account_id, user_name, email, entitlement_type, entitlement_id,
    coalesce(entitlement_name, entitlement_id) as name, permission_level, allows, opens, path, risk,
    coalesce(findings, '') as findings,
    -- The page shows no numbers.
    regexp_replace(conflict, ' \(no\. \d+ here\)', '', 'g') as conflict, coalesce(conflict_with, '') as conflict_with, peers,
    change_since_baseline as change, recommendation, recommendation_reason,
    case
        when prior_decision is not null
            then prior_decision || ' by ' || prior_reviewer || ' on ' || strftime(prior_decision_at, '%-d %b %Y')
    end as prior_decision,
    coalesce(attention, 3) as attention, person_id, original_reviewer_email as original_reviewer,
    reviewer_email as reviewer
from review.assigned_items($campaign)
