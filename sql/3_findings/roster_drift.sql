/*
title       = "Name or address differs from the roster"
summary     = "An account whose name or e-mail address differs from the person's in the roster."
severity    = "low"
population  = "select source, account_id from graph.accounts"
reads       = ["graph.accounts", "graph.people"]
grain       = ["source", "account_id"]
needs       = "roster"
remediation = "Correct the side that is wrong. An old name or address often means that the person has changed jobs."

[controls]
iso27001 = ["A.5.16"]
*/
with

-- An alias is one of the person's own addresses.
addresses as (
    select person_id, email_key as address from graph.people
    union
    select person_id, unnest(alias_keys) from graph.people
),

account_people as (
    select
        account.source, account.account_id, account.email, person.person_id, person.email as roster_email,
        person.display_name as roster_name,
        nullif(concat_ws(' ', account.first_name, account.last_name), '') as name, account.name_key, account.unreadable_fields,
        person.name_key as roster_name_key,
        addresses.address is not null as is_own_address
    from graph.accounts as account
    left join graph.people as person on person.person_id = account.person_id
    left join addresses on addresses.person_id = account.person_id and addresses.address = account.email_key
),

verdicts as (
    select
        *,
        email is not null and not is_own_address as has_other_address,
        name_key <> roster_name_key as has_other_name,
        case
            when person_id is null then 'unknown'
            when email is not null and not is_own_address then 'failed'
            when name_key <> roster_name_key then 'failed'
            -- A value that either side lacks cannot be compared.
            when list_contains(unreadable_fields, 'email') or list_contains(unreadable_fields, 'firstName')
                or list_contains(unreadable_fields, 'lastName') then 'unknown'
            when email is null or name is null or roster_name is null then 'unknown'
        end as verdict
    from account_people
)

select
    source,
    account_id,
    verdict,
    concat_ws(
        ' ',
        case when has_other_name then 'The name is ' || roster_name || ' in the roster and ' || name || ' in the account.' end,
        case when has_other_address then 'The address is ' || roster_email || ' in the roster and ' || email || ' in the account.' end
    ) as detail,
    case when has_other_address then email else name end as observed_value,
    case when has_other_address then roster_email else roster_name end as threshold
from verdicts
where verdict is not null

/* example
name = "a different name, address or +tag fails; case and aliases make no difference; a missing value is unknown"
given."graph.people" = [
  { person_id = "p", email = "ada@example.com", email_key = "ada@example.com", alias_keys = ["a.l@example.com"], display_name = "Ada Ek", name_key = "ada ek" },
  { person_id = "q", email = "bo@example.com", email_key = "bo@example.com", alias_keys = [] },
]
given."graph.accounts" = [
  { source = "s", account_id = "same", person_id = "p", email = "ADA@example.com", email_key = "ada@example.com", first_name = "ada", last_name = "EK", name_key = "ada ek" },
  { source = "s", account_id = "alias", person_id = "p", email = "A.L@example.com", email_key = "a.l@example.com", first_name = "Ada", last_name = "Ek", name_key = "ada ek" },
  { source = "s", account_id = "tag", person_id = "p", email = "ada+bi@example.com", email_key = "ada+bi@example.com", first_name = "Ada", last_name = "Ek", name_key = "ada ek" },
  { source = "s", account_id = "name", person_id = "p", email = "ada@example.com", email_key = "ada@example.com", first_name = "Ada", last_name = "Ek-Berg", name_key = "ada ek-berg" },
  { source = "s", account_id = "no address", person_id = "p", first_name = "Ada", last_name = "Ek", name_key = "ada ek" },
  { source = "s", account_id = "no address, name", person_id = "p", first_name = "Ada", last_name = "Berg", name_key = "ada berg" },
  { source = "s", account_id = "roster without names", person_id = "q", email = "bo@example.com", email_key = "bo@example.com", first_name = "Bo", last_name = "By", name_key = "bo by" },
  { source = "s", account_id = "nobody's", email = "cy@example.com", email_key = "cy@example.com", first_name = "Cy", last_name = "Dal", name_key = "cy dal" },
]
expect = [
  { account_id = "tag", verdict = "failed" },
  { account_id = "name", verdict = "failed" },
  { account_id = "no address", verdict = "unknown" },
  { account_id = "no address, name", verdict = "failed" },
  { account_id = "roster without names", verdict = "unknown" },
  { account_id = "nobody's", verdict = "unknown" },
]
population = 8
*/
