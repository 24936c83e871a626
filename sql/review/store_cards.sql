-- The people of a campaign, as the page of its reviewers shows them; a person with several accounts is one
-- $campaign: the campaign's name
with

items as (
    select
        *, coalesce(card_id, substr(sha256(source || chr(31) || account_id), 1, 16)) as card,
        coalesce(display_name, user_name, account_id) as name,
        coalesce(position, row_number() over (order by position, attention, place, item_id)) as card_position
    from review.assigned_items($campaign)
),

findings as (
    select items.card, list_sort(list(distinct found.title)) as titles
    from items, unnest(string_split(items.account_findings, '; ')) as found (title)
    group by items.card
)

select
    items.card as card_id, min(items.card_position) as position, min(items.name) as name, min(items.title) as title,
    min(items.department) as department, min(items.manager_email) as manager_email,
    array_to_string(list_sort(list(distinct items.email)), '; ') as email,
    array_to_string(list_sort(list(distinct items.status)), '; ') as status,
    coalesce(
        strftime(max(items.last_seen_at), '%-d %b %Y'),
        case when bool_and(items.login_state = 'never') then 'never' else 'not known' end
    ) as last_seen,
    coalesce(array_to_string(any_value(findings.titles), '; '), '') as findings,
    arg_min(severities.severity, severities.position) as risk,
    concat_ws(
        ' ', min(items.name), min(items.title), min(items.department),
        array_to_string(list_sort(list(distinct items.email)), ' '),
        array_to_string(list_sort(list(distinct items.user_name)), ' '),
        array_to_string(list_sort(list(distinct coalesce(items.entitlement_name, items.entitlement_id))), ' ')
    ) as searched
from items
left join findings on findings.card = items.card
left join reference.severities as severities on severities.severity = items.account_risk
group by items.card
