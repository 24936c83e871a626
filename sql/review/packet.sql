-- The items of one reviewer, with the columns of a packet
-- $campaign: the campaign's name
-- $reviewer: the reviewer's e-mail address
-- A spreadsheet takes the campaign 2026-12 for a month, and an id of digits for a number: the prefixes prevent that.
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
    title,
    department,
    source,
    entitlement_type as type,
    coalesce(entitlement_name, entitlement_id) as access,
    allows,
    opens,
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
                when 'privileged' then 'Privileged ' || entitlement_type
                when 'unclassified' then upper(entitlement_type[1]) || entitlement_type[2:] || ' without a rank'
            end,
            'Conflicts with ' || conflict,
            case change_since_baseline
                when 'new' then 'New access'
                when 'changed' then 'Changed access'
                when 'reappeared' then 'Removed access that is back'
            end
        ), '')
    ), '') as why_flagged,
    findings,
    account_findings,
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
    'card-' || card_id as card_id,
    'item-' || item_id as item_id
from review.assigned_items($campaign)
where reviewer_email = $reviewer
