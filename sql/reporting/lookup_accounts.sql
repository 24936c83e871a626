-- What is known about each account that can be looked up?
select
    account.source, account.account_id, account.display_name, account.email, account.user_name, account.account_type,
    account.status, account.origin, account.created_at, account.age_days, account.last_login_at,
    account.last_activity_at, account.last_seen_at, account.days_since_seen, account.login_state, account.role_id,
    account.role_name, account.role_display_name, account.role_rank, account.privileged, account.group_count,
    account.person_id, account.person_match, chosen.person_accounts, person.display_name as person_name, person.title,
    account.employment_status, person.end_date, account.manager_email, account.department, account.in_scope,
    account.exclusion_reason, account.change_since_baseline, account.risk_score, account.top_severity,
    account.finding_count, seat.seat_class, seat.reclaimable,
    source.is_from_files
from lookup_choice as chosen
join reports.population as account on account.source = chosen.source and account.account_id = chosen.account_id
left join graph.people as person on person.person_id = account.person_id
left join graph.sources as source on source.source = chosen.source
left join reports.licences as seat on seat.source = chosen.source and seat.account_id = chosen.account_id
order by chosen.place
