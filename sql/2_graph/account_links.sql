/*
summary = "One account for which the roster has a candidate: the match, a suggestion, or that several fit."
reads   = ["staging.users", "graph.people", "policy.email_domains"]
grain   = ["source", "account_id"]

[columns]
source          = "varchar: the source's name in the configuration"
account_id      = "varchar: the account"
person_id       = "varchar: the one person of the first step that found any; null if it found several"
match_method    = "varchar: email, alias, normalised_email, user_name or display_name"
confidence      = "varchar: high, medium or low"
candidate_count = "bigint: how many people that step found"
is_match        = "boolean: exactly one, and more than a suggestion"
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

-- The first step that finds anybody decides; several there is ambiguous, and no later step may overrule it. So each
-- step asks only for the accounts that are left: nearly all are found by their address.
step_1 as (
    select a.source, a.account_id, count(*) as candidate_count, min(p.person_id) as person_id
    from accounts as a join people as p on p.email = a.email
    group by a.source, a.account_id
),

left_1 as (
    select a.* from accounts as a
    anti join step_1 as found on found.source = a.source and found.account_id = a.account_id
),

step_2_candidates as (
    select a.source, a.account_id, p.person_id
    from left_1 as a join aliases as p on p.alias = a.email
    union
    select a.source, a.account_id, p.person_id
    from left_1 as a join aliases as p on p.alias = a.user_name
),

step_2 as (
    select source, account_id, count(*) as candidate_count, min(person_id) as person_id
    from step_2_candidates
    group by source, account_id
),

left_2 as (
    select a.* from left_1 as a
    anti join step_2 as found on found.source = a.source and found.account_id = a.account_id
),

step_3 as (
    select a.source, a.account_id, count(*) as candidate_count, min(p.person_id) as person_id
    from left_2 as a join people as p on p.normalised_email = a.normalised_email
    group by a.source, a.account_id
),

left_3 as (
    select a.* from left_2 as a
    anti join step_3 as found on found.source = a.source and found.account_id = a.account_id
),

step_4 as (
    select a.source, a.account_id, count(*) as candidate_count, min(p.person_id) as person_id
    from left_3 as a join names as p on p.user_name = a.user_name
    group by a.source, a.account_id
),

left_4 as (
    select a.* from left_3 as a
    anti join step_4 as found on found.source = a.source and found.account_id = a.account_id
),

step_5 as (
    select a.source, a.account_id, count(*) as candidate_count, min(p.person_id) as person_id
    from left_4 as a join people as p on p.name_key = a.name_key
    where p.department is not null
    group by a.source, a.account_id
),

steps as (
    select *, 1 as step from step_1
    union all
    select *, 2 from step_2
    union all
    select *, 3 from step_3
    union all
    select *, 4 from step_4
    union all
    select *, 5 from step_5
)

select
    steps.source,
    steps.account_id,
    case when steps.candidate_count = 1 then steps.person_id end as person_id,
    case steps.step when 1 then 'email' when 2 then 'alias' when 3 then 'normalised_email' when 4 then 'user_name'
        else 'display_name' end as match_method,
    case when steps.step <= 2 then 'high' when steps.step <= 4 then 'medium' else 'low' end as confidence,
    steps.candidate_count,
    steps.candidate_count = 1 and steps.step <= 4 as is_match
from steps

/* example
name = "every step of the ladder, an ambiguous one, and a name that is only a suggestion"
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
  { source = "s", account_id = "7", email_key = "nobody@example.com" },
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
