/*
summary = "One account of a person with accounts in more than one source."
reads   = ["reports.population", "graph.people"]
grain   = ["source", "account_id"]

[columns]
person_id         = "varchar: the person"
person            = "varchar: name of the person"
department        = "varchar: the person's department"
employment_status = "varchar: active, leave or ended"
sources           = "bigint: number of sources in which the person has accounts"
accounts          = "bigint: number of the person's accounts in all sources"
source            = "varchar: the source's name in the configuration"
account_id        = "varchar: the source's own id"
user_name         = "varchar: user name"
email             = "varchar: the account's e-mail address"
status            = "varchar: active, inactive, pending or unknown"
role_display_name = "varchar: display name of the role"
role_rank         = "integer: its rank; null while unclassified"
privileged        = "boolean: the account's own role manages users, data or the system, or is unclassified"
groups            = "varchar: names of its groups, joined by '; '"
person_match      = "varchar: how the account was matched to the person"
last_seen_at      = "timestamp: last seen"
*/
with

people_in_several_sources as (
    select person_id, count(distinct source) as sources, count(*) as accounts
    from reports.population
    where person_id is not null
    group by person_id
    having count(distinct source) > 1
)

select
    person.person_id,
    coalesce(person.display_name, person.email, person.person_id) as person,
    person.department,
    person.employment_status,
    people.sources,
    people.accounts,
    account.source,
    account.account_id,
    account.user_name,
    account.email,
    account.status,
    account.role_display_name,
    account.role_rank,
    account.privileged,
    account.groups,
    account.person_match,
    account.last_seen_at
from reports.population as account
join people_in_several_sources as people on people.person_id = account.person_id
join graph.people as person on person.person_id = account.person_id

/* example
name = "a person with two sources has a row per account; a person with two accounts in one source has no row"
given."graph.people" = [
  { person_id = "ann", email = "ann@example.com", display_name = "Ann" },
  { person_id = "bo", email = "bo@example.com", display_name = "Bo" },
]
given."reports.population" = [
  { source = "prod", account_id = "1", person_id = "ann", status = "active" },
  { source = "lab", account_id = "2", person_id = "ann", status = "inactive" },
  { source = "prod", account_id = "3", person_id = "bo", status = "active" },
  { source = "prod", account_id = "4", person_id = "bo", status = "active" },
  { source = "prod", account_id = "5", status = "active" },
]
expect = [
  { person = "Ann", source = "prod", account_id = "1", sources = 2, accounts = 2 },
  { person = "Ann", source = "lab", account_id = "2", sources = 2, accounts = 2 },
]
*/
