-- Which accounts are listed in the annex, as lines of it?
select
    display_name as name,
    coalesce(email, user_name, account_id) as address,
    source,
    case when privileged then '◆ ' else '' end || coalesce(role_display_name, case when role_id is null then 'no role' else 'unknown role' end) || ' · ' || status
        || case when in_scope then '' else ', out of scope' end || ', ' || replace(account_type, '_', ' ') || ', '
        || case origin when 'sso' then 'single sign-on' else origin end
        as role,
    finding_count as findings,
    coalesce(strftime(created_at, '%Y-%m-%d'), '–') as created,
    coalesce(strftime(last_seen_at, '%Y-%m-%d'), login_state) as seen
from reports.population
order by lower(display_name), source, account_id
