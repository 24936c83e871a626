/*
title       = "Possibly shared account"
summary     = "An active, unregistered account that is named after a function, or has neither a first nor a last name."
severity    = "medium"
population  = "select source, account_id from graph.accounts where status in ('active', 'unknown') and not is_registered"
reads       = ["graph.accounts", "graph.sources", "reference.shared_names"]
grain       = ["source", "account_id"]
remediation = "Give each person an account of their own, or register this one as a service account with an owner."

[controls]
iso27001 = ["A.5.16"]
pci      = ["8.2.2"]
nist     = ["AC-2"]

[effects]
recommendation = "investigate"
on             = "account"
reason         = "Several people may share the account."
*/
with

verdicts as (
    select
        account.source, account.account_id, account.privileged, account.display_name,
        email_names.local_part is not null or user_names.local_part is not null as is_function,
        case
            when account.status = 'unknown' then 'unknown'
            when email_names.local_part is not null or user_names.local_part is not null then 'failed'
            when list_contains(account.unreadable_fields, 'email') or list_contains(account.unreadable_fields, 'userName')
                then 'unknown'
            when account.first_name is null and account.last_name is null then case
                when list_contains(account.unreadable_fields, 'firstName')
                    or list_contains(account.unreadable_fields, 'lastName') then 'unknown'
                -- A file may have no names at all, which says nothing about its accounts.
                when source.is_from_files and not source.gives_names then 'unknown'
                -- A file may say that the account belongs to a program, which has no name.
                when source.is_from_files and account.account_type in ('service', 'break_glass') then null
                else 'failed'
            end
        end as verdict
    from graph.accounts as account
    left join graph.sources as source on source.source = account.source
    left join reference.shared_names as email_names
        on email_names.local_part = split_part(account.email_key, '@', 1)
    left join reference.shared_names as user_names
        on user_names.local_part = split_part(account.user_name_key, '@', 1)
    where account.status in ('active', 'unknown') and not account.is_registered
)

select
    source,
    account_id,
    verdict,
    case when privileged then 'high' else 'medium' end as severity,
    case when is_function then 'Its address or user name names a function.' else 'It has neither a first nor a last name.' end
        as detail,
    display_name as observed_value,
    'an account of one person' as threshold
from verdicts
where verdict is not null

/* example
name = "an address or user name of a function, or neither name, fails; one name passes; registered accounts are not in the population"
given."reference.shared_names" = [ { local_part = "info" } ]
given."graph.accounts" = [
  { source = "s", account_id = "address", status = "active", is_registered = false, privileged = false, email_key = "info@example.com", first_name = "In", last_name = "Fo" },
  { source = "s", account_id = "user name", status = "active", is_registered = false, privileged = true, user_name_key = "info", first_name = "In", last_name = "Fo" },
  { source = "s", account_id = "no name", status = "active", is_registered = false, privileged = false, email_key = "wall@example.com" },
  { source = "s", account_id = "one name", status = "active", is_registered = false, privileged = false, email_key = "cher@example.com", first_name = "Cher" },
  { source = "s", account_id = "personal", status = "active", is_registered = false, privileged = false, email_key = "info.ek@example.com", first_name = "In", last_name = "Ek" },
  { source = "s", account_id = "registered", status = "active", is_registered = true, privileged = false, email_key = "info@example.com" },
  { source = "s", account_id = "inactive", status = "inactive", is_registered = false, privileged = false, email_key = "info@example.com" },
  { source = "s", account_id = "status unknown", status = "unknown", is_registered = false, privileged = false, email_key = "info@example.com" },
]
expect = [
  { account_id = "address", verdict = "failed", severity = "medium" },
  { account_id = "user name", verdict = "failed", severity = "high" },
  { account_id = "no name", verdict = "failed", severity = "medium" },
  { account_id = "status unknown", verdict = "unknown" },
]
population = 6
*/
/* example
name = "the accounts of a file without names are not evaluated, unless one is named after a function"
given."reference.shared_names" = [ { local_part = "info" } ]
given."graph.sources" = [ { source = "f", is_from_files = true, gives_names = false }, { source = "g", is_from_files = true, gives_names = true } ]
given."graph.accounts" = [
  { source = "f", account_id = "1", status = "active", is_registered = false },
  { source = "f", account_id = "2", status = "active", is_registered = false, user_name_key = "info" },
  { source = "g", account_id = "3", status = "active", is_registered = false },
  { source = "g", account_id = "4", status = "active", is_registered = false, account_type = "service" },
]
expect = [ { account_id = "1", verdict = "unknown" }, { account_id = "2", verdict = "failed" }, { account_id = "3", verdict = "failed" } ]
population = 4
*/
