-- Every address and user name of each person, and whether the person has left and cannot review
with

addresses as (
    select person_id, match_key(email) as address from policy.roster
    union
    select person_id, match_key(unnest(aliases)) from policy.roster
    union
    select person_id, match_key(email) from reports.population
    union
    select person_id, match_key(user_name) from reports.population
    union
    select person_id, match_key(email) from review.items
    union
    select person_id, match_key(user_name) from review.items
)

select
    addresses.person_id, addresses.address, coalesce(roster.employment_status = 'ended', false) as is_leaver
from addresses
left join policy.roster as roster on roster.person_id = addresses.person_id
where addresses.person_id is not null and addresses.address is not null
