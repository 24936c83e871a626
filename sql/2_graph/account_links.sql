/*
summary = "One account with at least one candidate in the roster: a match, a suggestion, or several candidates."
reads   = ["staging.users", "graph.people", "policy.email_domains"]
grain   = ["source", "account_id"]

[columns]
source          = "varchar: the source's name in the configuration"
account_id      = "varchar: the account"
person_id       = "varchar: the candidate of the first step that found any; null if that step found several"
match_method    = "varchar: email, alias, normalised_email, user_name or display_name"
confidence      = "varchar: high, medium or low"
candidate_count = "bigint: number of people that this step found"
is_match        = "boolean: there is exactly one candidate, found by more than the display name"
*/
with

accounts as (
    select
        source, account_id, email_key as email, user_name_key as user_name,
        regexp_replace(email_key, '\+[^@]*@', '@') as normalised_email, name_key
    from staging.users
),

people as (
    select
        person_id, email_key as email, regexp_replace(email_key, '\+[^@]*@', '@') as normalised_email,
        split_part(email_key, '@', 1) as local_part, split_part(email_key, '@', 2) as email_domain,
        name_key, department
    from graph.people
),

aliases as (
    select person_id, unnest(alias_keys) as alias from graph.people
),

names as (
    select person_id, email as user_name from people
    union
    select people.person_id, people.local_part
    from people
    join policy.email_domains as own on own.email_domain = people.email_domain
),

-- The first step with a candidate decides. Several candidates are ambiguous, and later steps cannot resolve that. So
-- each step only takes the accounts without a candidate so far; the first step matches nearly all of them.
email_matches as (
    select a.source, a.account_id, count(*) as candidate_count, min(p.person_id) as person_id
    from accounts as a join people as p on p.email = a.email
    group by a.source, a.account_id
),

unmatched_after_1 as (
    select a.* from accounts as a
    anti join email_matches as found on found.source = a.source and found.account_id = a.account_id
),

alias_candidates as (
    select a.source, a.account_id, p.person_id
    from unmatched_after_1 as a join aliases as p on p.alias = a.email
    union
    select a.source, a.account_id, p.person_id
    from unmatched_after_1 as a join aliases as p on p.alias = a.user_name
),

alias_matches as (
    select source, account_id, count(*) as candidate_count, min(person_id) as person_id
    from alias_candidates
    group by source, account_id
),

unmatched_after_2 as (
    select a.* from unmatched_after_1 as a
    anti join alias_matches as found on found.source = a.source and found.account_id = a.account_id
),

normalised_email_matches as (
    select a.source, a.account_id, count(*) as candidate_count, min(p.person_id) as person_id
    from unmatched_after_2 as a join people as p on p.normalised_email = a.normalised_email
    group by a.source, a.account_id
),

unmatched_after_3 as (
    select a.* from unmatched_after_2 as a
    anti join normalised_email_matches as found on found.source = a.source and found.account_id = a.account_id
),

user_name_matches as (
    select a.source, a.account_id, count(*) as candidate_count, min(p.person_id) as person_id
    from unmatched_after_3 as a join names as p on p.user_name = a.user_name
    group by a.source, a.account_id
),

unmatched_after_4 as (
    select a.* from unmatched_after_3 as a
    anti join user_name_matches as found on found.source = a.source and found.account_id = a.account_id
),

display_name_matches as (
    select a.source, a.account_id, count(*) as candidate_count, min(p.person_id) as person_id
    from unmatched_after_4 as a join people as p on p.name_key = a.name_key
    where p.department is not null
    group by a.source, a.account_id
),

matches as (
    select *, 1 as step from email_matches
    union all
    select *, 2 from alias_matches
    union all
    select *, 3 from normalised_email_matches
    union all
    select *, 4 from user_name_matches
    union all
    select *, 5 from display_name_matches
)

select
    matches.source,
    matches.account_id,
    case when matches.candidate_count = 1 then matches.person_id end as person_id,
    case matches.step when 1 then 'email' when 2 then 'alias' when 3 then 'normalised_email' when 4 then 'user_name'
        else 'display_name' end as match_method,
    case when matches.step <= 2 then 'high' when matches.step <= 4 then 'medium' else 'low' end as confidence,
    matches.candidate_count,
    matches.candidate_count = 1 and matches.step <= 4 as is_match
from matches

/* example
name = "each step finds its match; several candidates are ambiguous; a display name only suggests"
given."policy.email_domains" = [ { email_domain = "example.com" } ]
given."graph.people" = [
  { person_id = "p1", email_key = "ada@example.com", alias_keys = [] },
  { person_id = "p2", email_key = "bo@example.com", alias_keys = ["b.berg@example.com"] },
  { person_id = "p3", email_key = "cy@example.com", alias_keys = [] },
  { person_id = "p4", email_key = "dee@example.com", alias_keys = [] },
  { person_id = "p5", email_key = "eve@example.com", alias_keys = [], name_key = "eve ek", department = "Sales" },
  { person_id = "p6", email_key = "fay@example.com", alias_keys = [] },
  { person_id = "p7", email_key = "fay@example.com", alias_keys = [] },
]
given."staging.users" = [
  { source = "s", account_id = "1", email_key = "ada@example.com" },
  { source = "s", account_id = "2", email_key = "b.berg@example.com" },
  { source = "s", account_id = "3", email_key = "cy+bi@example.com" },
  { source = "s", account_id = "4", email_key = "dee@elsewhere.test", user_name_key = "dee" },
  { source = "s", account_id = "5", email_key = "e@elsewhere.test", name_key = "eve ek" },
  { source = "s", account_id = "6", email_key = "fay@example.com", user_name_key = "ada@example.com" },
  { source = "s", account_id = "7", email_key = "unknown@example.com" },
]
expect = [
  { account_id = "1", person_id = "p1", match_method = "email", is_match = true },
  { account_id = "2", person_id = "p2", match_method = "alias", is_match = true },
  { account_id = "3", person_id = "p3", match_method = "normalised_email", is_match = true },
  { account_id = "4", person_id = "p4", match_method = "user_name", is_match = true },
  { account_id = "5", person_id = "p5", match_method = "display_name", is_match = false },
  { account_id = "6", person_id = "<null>", match_method = "email", is_match = false, candidate_count = 2 },
]
*/
