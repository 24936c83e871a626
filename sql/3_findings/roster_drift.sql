/*
title       = "Name or address differs from the roster"
summary     = "An account whose name or e-mail address is not the one that the roster gives the person."
severity    = "low"
population  = "select source, account_id from graph.accounts"
reads       = ["graph.accounts", "policy.roster"]
grain       = ["source", "account_id"]
remediation = "Correct whichever is wrong; an old name or address is often the last trace of a move."

[controls]
iso27001 = ["A.5.16"]
*/
with

-- An alias is the person's own address too.
addresses as (
    select person_id, lower(email) as address from policy.roster
    union
    select person_id, lower(unnest(aliases)) from policy.roster
),

compared as (
    select
        account.source, account.account_id, account.email, person.person_id, person.email as roster_email,
        person.display_name as roster_name,
        nullif(trim(concat_ws(' ', account.first_name, account.last_name)), '') as name,
        addresses.address is not null as is_own_address
    from graph.accounts as account
    left join policy.roster as person on person.person_id = account.person_id
    left join addresses on addresses.person_id = account.person_id and addresses.address = lower(account.email)
),

judged as (
    select
        *,
        email is not null and not is_own_address as has_other_address,
        lower(name) <> lower(roster_name) as has_other_name,
        case
            when person_id is null then 'unknown'
            when email is not null and not is_own_address then 'failed'
            when lower(name) <> lower(roster_name) then 'failed'
            -- what either side does not have cannot be compared
            when email is null or name is null or roster_name is null then 'unknown'
        end as verdict
    from compared
)

select
    source,
    account_id,
    verdict,
    concat_ws(
        ' ',
        case when has_other_name then 'The roster says ' || roster_name || ', the account ' || name || '.' end,
        case when has_other_address then 'The roster says ' || roster_email || ', the account ' || email || '.' end
    ) as detail,
    case when has_other_address then email else name end as observed_value,
    case when has_other_address then roster_email else roster_name end as threshold
from judged
where verdict is not null

/* example
name = "another name or address fails, a tag too; case and aliases are no difference; what is missing is unknown"
given."policy.roster" = [
  { person_id = "p", email = "ada@example.com", aliases = ["a.l@example.com"], display_name = "Ada Ek", row = 1 },
  { person_id = "q", email = "bo@example.com", aliases = [], row = 2 },
]
given."graph.accounts" = [
  { source = "s", account_id = "same", person_id = "p", email = "ADA@example.com", first_name = "ada", last_name = "EK" },
  { source = "s", account_id = "alias", person_id = "p", email = "A.L@example.com", first_name = "Ada", last_name = "Ek" },
  { source = "s", account_id = "tag", person_id = "p", email = "ada+bi@example.com", first_name = "Ada", last_name = "Ek" },
  { source = "s", account_id = "name", person_id = "p", email = "ada@example.com", first_name = "Ada", last_name = "Ek-Berg" },
  { source = "s", account_id = "no address", person_id = "p", first_name = "Ada", last_name = "Ek" },
  { source = "s", account_id = "no address, name", person_id = "p", first_name = "Ada", last_name = "Berg" },
  { source = "s", account_id = "roster without names", person_id = "q", email = "bo@example.com", first_name = "Bo", last_name = "By" },
  { source = "s", account_id = "nobody's", email = "cy@example.com", first_name = "Cy", last_name = "Dal" },
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
