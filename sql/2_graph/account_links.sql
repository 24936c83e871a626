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

-- The first step with a candidate decides. Several candidates are ambiguous, and later steps cannot resolve that.
email_matches as (
    select a.source, a.account_id, 1 as step, count(*) as candidate_count, min(p.person_id) as person_id
    from accounts as a join people as p on p.email = a.email
    group by a.source, a.account_id
),

-- The first step matches nearly all accounts. The later steps only take the others, in one join: a step is part of the key.
unmatched_accounts as (
    select a.* from accounts as a
    anti join people as p on p.email = a.email
),

keys_of_accounts as (
    select
        a.source, a.account_id, steps.step,
        case steps.of_account when 'email' then a.email when 'user_name' then a.user_name
            when 'normalised_email' then a.normalised_email else a.name_key end as key
    from unmatched_accounts as a
    cross join (values (2, 'email'), (2, 'user_name'), (3, 'normalised_email'), (4, 'user_name'), (5, 'name_key'))
        as steps(step, of_account)
),

keys_of_people as (
    select 2 as step, unnest(alias_keys) as key, person_id from graph.people
    union all
    select 3, normalised_email, person_id from people
    union all
    select 4, email, person_id from people
    union all
    select 4, people.local_part, people.person_id
    from people
    join policy.email_domains as own on own.email_domain = people.email_domain
    union all
    select 5, name_key, person_id from people where department is not null
),

-- A person may be a candidate of one step twice, by two keys.
candidates as (
    select distinct a.source, a.account_id, a.step, p.person_id
    from keys_of_accounts as a join keys_of_people as p on p.step = a.step and p.key = a.key
),

candidate_counts as (
    select source, account_id, step, count(*) as candidate_count, min(person_id) as person_id
    from candidates
    group by source, account_id, step
),

ranked_counts as (
    select *, row_number() over (partition by source, account_id order by step) as place from candidate_counts
),

matches as (
    select source, account_id, step, candidate_count, person_id from email_matches
    union all
    select source, account_id, step, candidate_count, person_id from ranked_counts where place = 1
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
