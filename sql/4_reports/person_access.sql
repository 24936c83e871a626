/*
summary = "One account of a person with accounts in more than one application; the person's users in directories stand beside them."
reads   = ["reports.population", "graph.directory_accounts", "graph.people"]
grain   = ["source", "account_id"]

[columns]
person_id         = "varchar: the person"
person            = "varchar: name of the person"
department        = "varchar: the person's department"
employment_status = "varchar: active, leave or ended"
sources           = "bigint: number of sources in which the person has accounts, directories included"
accounts          = "bigint: number of the person's accounts in all sources, directories included"
source            = "varchar: the source's name in the configuration"
account_id        = "varchar: the source's own id"
user_name         = "varchar: user name"
email             = "varchar: the account's e-mail address"
status            = "varchar: active, inactive, pending or unknown"
role_display_name = "varchar: display name of the role"
role_rank         = "integer: its rank; null while unclassified"
privileged        = "boolean: the account's own role manages users, data or the system, or is unclassified; null in a directory"
groups            = "varchar: names of its groups or entitlements, joined by '; '"
person_match      = "varchar: how the account was matched to the person"
last_seen_at      = "timestamp: last seen; in a directory the last sign-in"
is_directory      = "boolean: the account is a user of a directory, whose groups are shown but not reviewed"
*/
with

people_in_several_applications as (
    select person_id
    from reports.population
    where person_id is not null
    group by person_id
    having min(source) <> max(source)
),

their_accounts as (
    select
        account.person_id, account.source, account.account_id, account.user_name, account.email, account.status,
        account.role_display_name, account.role_rank, account.privileged, account.groups, account.person_match,
        account.last_seen_at, false as is_directory
    from reports.population as account
    join people_in_several_applications as people on people.person_id = account.person_id
    union all
    select
        account.person_id, account.source, account.user_id, account.user_name, account.email, account.status,
        null, null, null, account.group_names, account.person_match,
        account.last_sign_in_at, true
    from graph.directory_accounts as account
    join people_in_several_applications as people on people.person_id = account.person_id
),

totals as (
    select person_id, count(distinct source) as sources, count(*) as accounts from their_accounts group by person_id
)

select
    person.person_id,
    coalesce(person.display_name, person.email, person.person_id) as person,
    person.department,
    person.employment_status,
    totals.sources,
    totals.accounts,
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
    account.last_seen_at,
    account.is_directory
from their_accounts as account
join totals on totals.person_id = account.person_id
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
  { person = "Ann", source = "prod", account_id = "1", sources = 2, accounts = 2, is_directory = false },
  { person = "Ann", source = "lab", account_id = "2", sources = 2, accounts = 2 },
]
*/
/* example
name = "the user of a directory stands beside the accounts, and alone does not list a person"
given."graph.people" = [ { person_id = "ann", email = "ann@example.com" }, { person_id = "bo", email = "bo@example.com" } ]
given."reports.population" = [
  { source = "prod", account_id = "1", person_id = "ann" }, { source = "lab", account_id = "2", person_id = "ann" },
  { source = "prod", account_id = "3", person_id = "bo" },
]
given."graph.directory_accounts" = [
  { source = "idp", user_id = "a", person_id = "ann", status = "active", group_names = "Sales", person_match = "directory" },
  { source = "idp", user_id = "b", person_id = "bo", status = "active" },
]
expect = [
  { source = "prod", account_id = "1", sources = 3, accounts = 3 },
  { source = "lab", account_id = "2", sources = 3, accounts = 3 },
  { source = "idp", account_id = "a", sources = 3, status = "active", groups = "Sales", privileged = "<null>", is_directory = true },
]
*/
