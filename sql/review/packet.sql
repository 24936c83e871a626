-- The items of one reviewer, with the columns of a packet
-- $campaign: the campaign's name
-- $reviewer: the reviewer's e-mail address
-- A spreadsheet takes the campaign 2026-12 for a month, and an item id of digits for a number: the prefixes prevent that.
select
    'campaign ' || campaign as campaign,
    reviewer_email as reviewer,
    place,
    case attention
        when 1 then '1 high risk'
        when 2 then '2 new or changed'
        when 3 then '3 other'
        when 4 then '4 unchanged, kept last time'
    end as attention,
    coalesce(display_name, user_name, account_id) as "who",
    email,
    source,
    entitlement_type as type,
    coalesce(entitlement_name, entitlement_id) as access,
    permission_level,
    path,
    status,
    case when last_seen_at is null then login_state else strftime(last_seen_at, '%Y-%m-%d') end as last_seen,
    risk,
    nullif(concat_ws(
        ': ',
        case when risk <> 'info' then upper(risk[1]) || risk[2:] || ' risk' end,
        nullif(concat_ws(
            '; ',
            findings,
            case permission_level
                when 'privileged' then 'privileged ' || entitlement_type
                when 'unclassified' then entitlement_type || ' without a rank'
            end,
            'conflicts with ' || conflict,
            case change_since_baseline
                when 'new' then 'new access'
                when 'changed' then 'changed access'
                when 'reappeared' then 'access is back'
            end
        ), '')
    ), '') as why_flagged,
    findings,
    conflict,
    peers,
    change_since_baseline as change,
    recommendation,
    recommendation_reason,
    case
        when prior_decision is not null
            then prior_decision || ' by ' || prior_reviewer || ' on ' || strftime(prior_decision_at, '%Y-%m-%d')
    end as prior_decision,
    decision,
    reason,
    target_role,
    defer_until,
    approver,
    expires_on,
    'item-' || item_id as item_id
from review.assigned_items($campaign)
where reviewer_email = $reviewer
