/*
summary = "One account in reach of a SCIM endpoint, and what the endpoint's users say of it: assigned, provisioned, comparable."
reads   = ["staging.scim_users", "graph.scim_links", "graph.accounts"]
grain   = ["source", "account_id"]

[columns]
source         = "varchar: the source's name in the configuration"
account_id     = "varchar: the account"
is_assigned    = "boolean: the provider has a user for it; null if what was read does not say"
is_provisioned = "boolean: a provider manages it through SCIM (it has given it an id); null if nothing says so"
is_comparable  = "boolean: status and e-mail address can be compared with every user that it is linked to"
scim_sources   = "varchar: the endpoints that reach it"
*/
with

-- Beside a Sisense an endpoint shows that one's accounts, whoever made them: only the id that a provider gave tells
-- which of them a provider knows. A directory shows its own users.
endpoints as (
    select
        scim.source as scim_source,
        scim.source in (select source from graph.accounts) as is_beside,
        bool_or(scim.external_id is not null) as gives_external_id
    from staging.scim_users as scim
    group by scim.source
),

reach as (
    select endpoints.*, account.source, account.account_id, account.status, account.email
    from endpoints
    join graph.accounts as account on account.source = endpoints.scim_source or not endpoints.is_beside
),

linked as (
    select
        link.scim_source, link.source, link.account_id, scim.external_id, scim.is_active, scim.email,
        count(*) over (partition by link.scim_source, link.scim_id, link.source) as account_count
    from graph.scim_links as link
    join staging.scim_users as scim on scim.source = link.scim_source and scim.scim_id = link.scim_id
),

told as (
    select
        scim_source, source, account_id,
        bool_or(external_id is not null) as has_external_id,
        bool_and(is_active is not null and account_count = 1) as is_single,
        bool_and(email is not null) as has_email
    from linked
    group by scim_source, source, account_id
),

said as (
    select
        reach.scim_source, reach.source, reach.account_id,
        case
            when told.account_id is null then false
            when not reach.is_beside or told.has_external_id then true
            when reach.gives_external_id then false
        end as is_assigned,
        case
            when told.account_id is null then false
            when not reach.is_beside then null
            when told.has_external_id then true
            when reach.gives_external_id then false
        end as is_provisioned,
        case
            when told.account_id is null then null
            else told.is_single and reach.status <> 'unknown' and told.has_email = (reach.email is not null)
        end as is_comparable
    from reach
    left join told
        on told.scim_source = reach.scim_source and told.source = reach.source
        and told.account_id = reach.account_id
)

select
    source,
    account_id,
    -- one that says yes is enough; "no" needs all of them to say it
    case when bool_or(is_assigned) then true when count(*) = count(is_assigned) then false end as is_assigned,
    case when bool_or(is_provisioned) then true when count(*) = count(is_provisioned) then false end as is_provisioned,
    coalesce(bool_and(is_comparable), false) as is_comparable,
    array_to_string(list_sort(list(scim_source)), '; ') as scim_sources
from said
group by source, account_id

/* example
name = "beside a Sisense the provider's id tells, in a directory the user itself; without any id nothing does"
given."staging.scim_users" = [
  { source = "s", scim_id = "1", external_id = "x1", email = "a@x", is_active = true },
  { source = "s", scim_id = "2", email = "b@x", is_active = true },
  { source = "s", scim_id = "4" },
  { source = "mute", scim_id = "m", is_active = true },
]
given."graph.scim_links" = [
  { scim_source = "s", scim_id = "1", source = "s", account_id = "1" },
  { scim_source = "s", scim_id = "2", source = "s", account_id = "2" },
  { scim_source = "s", scim_id = "4", source = "s", account_id = "4" },
  { scim_source = "mute", scim_id = "m", source = "mute", account_id = "m" },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", email = "a@x" },
  { source = "s", account_id = "2", status = "active", email = "b@x" },
  { source = "s", account_id = "3", status = "active", email = "c@x" },
  { source = "s", account_id = "4", status = "active" },
  { source = "mute", account_id = "m", status = "active" },
  { source = "far", account_id = "f", status = "active" },
]
expect = [
  { source = "s", account_id = "1", is_assigned = true, is_provisioned = true, is_comparable = true, scim_sources = "s" },
  { source = "s", account_id = "2", is_assigned = false, is_provisioned = false, is_comparable = true },
  { source = "s", account_id = "3", is_assigned = false, is_provisioned = false, is_comparable = false },
  { source = "s", account_id = "4", is_assigned = false, is_provisioned = false, is_comparable = false },
  { source = "mute", account_id = "m", is_assigned = "<null>", is_provisioned = "<null>", is_comparable = true },
]
*/
/* example
name = "a directory assigns whom it has, and does not say how the account came about"
given."staging.scim_users" = [ { source = "idp", scim_id = "1", email = "a@x", is_active = true } ]
given."graph.scim_links" = [ { scim_source = "idp", scim_id = "1", source = "s", account_id = "1" } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", email = "a@x" },
  { source = "s", account_id = "2", status = "active", email = "b@x" },
]
expect = [
  { account_id = "1", is_assigned = true, is_provisioned = "<null>", is_comparable = true },
  { account_id = "2", is_assigned = false, is_provisioned = false, is_comparable = false },
]
*/
