/*
summary = "One account for which the roster has a candidate: the match, a suggestion, or that several fit."
reads   = ["staging.users", "policy.roster", "policy.email_domains"]
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
        source, account_id, lower(email) as email, lower(user_name) as user_name,
        regexp_replace(lower(email), '\+[^@]*@', '@') as normalised_email,
        lower(trim(concat_ws(' ', first_name, last_name))) as display_name
    from staging.users
),

people as (
    select
        person_id, lower(email) as email, regexp_replace(lower(email), '\+[^@]*@', '@') as normalised_email,
        split_part(lower(email), '@', 1) as local_part, split_part(lower(email), '@', 2) as email_domain,
        lower(trim(display_name)) as display_name, department
    from policy.roster
),

aliases as (
    select person_id, lower(unnest(aliases)) as alias from policy.roster
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
    from left_4 as a join people as p on p.display_name = a.display_name
    where a.display_name <> '' and p.department is not null
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
given."policy.roster" = [
  { person_id = "p1", email = "Ada@example.com", aliases = [], row = 1 },
  { person_id = "p2", email = "bo@example.com", aliases = ["b.berg@example.com"], row = 2 },
  { person_id = "p3", email = "cy@example.com", aliases = [], row = 3 },
  { person_id = "p4", email = "dee@example.com", aliases = [], row = 4 },
  { person_id = "p5", email = "eve@example.com", aliases = [], display_name = "Eve Ek", department = "Sales", row = 5 },
  { person_id = "p6", email = "fay@example.com", aliases = [], row = 6 },
  { person_id = "p7", email = "FAY@example.com", aliases = [], row = 7 },
]
given."staging.users" = [
  { source = "s", account_id = "1", email = "ADA@example.com" },
  { source = "s", account_id = "2", email = "B.Berg@example.com" },
  { source = "s", account_id = "3", email = "cy+bi@example.com" },
  { source = "s", account_id = "4", email = "dee@elsewhere.test", user_name = "dee" },
  { source = "s", account_id = "5", email = "e@elsewhere.test", first_name = "Eve", last_name = "Ek" },
  { source = "s", account_id = "6", email = "fay@example.com", user_name = "ada@example.com" },
  { source = "s", account_id = "7", email = "nobody@example.com" },
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
