-- Which roles and groups does one person hold, across all sources and accounts?
-- $person: the person's id, or an e-mail address of the person or of an account
with

matching_people as (
    select person_id from graph.people where person_id = $person or email_key = match_key($person)
    union
    select person_id from graph.accounts where person_id is not null and email_key = match_key($person)
)

select
    held.source, held.email, held.status, held.entitlement_type, held.entitlement_name, held.permission_level,
    held.grant_type, held.path
from graph.effective_access as held
where held.person_id in (select person_id from matching_people) or match_key(held.email) = match_key($person)
order by held.source, held.email, held.account_id, held.entitlement_type, held.entitlement_name, held.entitlement_id
