/*
summary = "One account that a SCIM endpoint covers, and whether the provider assigned and provisioned it."
reads   = ["staging.scim_users", "graph.scim_links", "graph.accounts"]
grain   = ["source", "account_id"]

[columns]
source         = "varchar: the source's name in the configuration"
account_id     = "varchar: the account"
is_assigned    = "boolean: the provider has a user for the account; null if the endpoint does not report it"
is_provisioned = "boolean: the provider manages the account through SCIM and gave it an external id; null if not reported"
is_comparable  = "boolean: status and e-mail address can be compared with every linked SCIM user"
scim_sources   = "varchar: the SCIM endpoints that cover the account"
*/
with

-- The SCIM endpoint of a Sisense returns all of its accounts, so only an external id shows that the provider knows an
-- account. A directory returns its own users.
endpoints as (
    select
        scim.source as scim_source,
        scim.source in (select source from graph.accounts) as is_sisense,
        bool_or(scim.external_id is not null) as gives_external_id
    from staging.scim_users as scim
    group by scim.source
),

covered_accounts as (
    select endpoints.*, account.source, account.account_id, account.status, account.email
    from endpoints
    join graph.accounts as account on account.source = endpoints.scim_source or not endpoints.is_sisense
),

linked_users as (
    select
        link.scim_source, link.source, link.account_id, scim.external_id, scim.is_active, scim.email,
        count(*) over (partition by link.scim_source, link.scim_id, link.source) as account_count
    from graph.scim_links as link
    join staging.scim_users as scim on scim.source = link.scim_source and scim.scim_id = link.scim_id
),

linked_accounts as (
    select
        scim_source, source, account_id,
        bool_or(external_id is not null) as has_external_id,
        bool_and(is_active is not null and account_count = 1) as is_single,
        bool_and(email is not null) as has_email
    from linked_users
    group by scim_source, source, account_id
),

endpoint_answers as (
    select
        covered.scim_source, covered.source, covered.account_id,
        case
            when linked.account_id is null then false
            when not covered.is_sisense or linked.has_external_id then true
            when covered.gives_external_id then false
        end as is_assigned,
        case
            when linked.account_id is null then false
            when not covered.is_sisense then null
            when linked.has_external_id then true
            when covered.gives_external_id then false
        end as is_provisioned,
        case
            when linked.account_id is null then null
            else linked.is_single and covered.status <> 'unknown' and linked.has_email = (covered.email is not null)
        end as is_comparable
    from covered_accounts as covered
    left join linked_accounts as linked
        on linked.scim_source = covered.scim_source and linked.source = covered.source
        and linked.account_id = covered.account_id
)

select
    source,
    account_id,
    -- True if one endpoint says so; false only if all endpoints do.
    case when bool_or(is_assigned) then true when count(*) = count(is_assigned) then false end as is_assigned,
    case when bool_or(is_provisioned) then true when count(*) = count(is_provisioned) then false end as is_provisioned,
    coalesce(bool_and(is_comparable), false) as is_comparable,
    array_to_string(list_sort(list(scim_source)), '; ') as scim_sources
from endpoint_answers
group by source, account_id

/* example
name = "in Sisense an external id shows an assignment; an endpoint that reports no external ids leaves it null"
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
name = "a user in a directory is an assignment, but does not show how the account was created"
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
