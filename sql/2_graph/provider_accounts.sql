/*
summary = "One account that an identity provider covers, and whether the provider assigned and provisioned it."
reads   = ["graph.provider_users", "graph.scim_links", "graph.accounts", "graph.sources"]
grain   = ["source", "account_id"]

[columns]
source         = "varchar: the source's name in the configuration"
account_id     = "varchar: the account"
is_assigned    = "boolean: the provider has a user for the account, in a directory one assigned to the application; null if not known"
is_known       = "boolean: a directory whose assignments were read has a user for the account; null without such a directory"
is_provisioned = "boolean: the provider manages the account through SCIM and gave it an external id; null if not reported"
is_comparable  = "boolean: status and e-mail address can be compared with every linked user of a provider"
scim_sources   = "varchar: the identity providers that cover the account"
*/
with

account_sources as (
    select distinct source from graph.accounts
),

-- The SCIM endpoint of a Sisense returns all of its accounts, so only an external id shows that the provider knows an
-- account. A SCIM server of an identity provider returns the users that it manages. A directory returns everybody, and
-- says apart from that who is assigned to the application.
endpoints as (
    select
        scim.source as scim_source,
        account_sources.source is not null as is_sisense,
        bool_or(scim.external_id is not null) as gives_external_id,
        bool_or(scim.is_directory) as is_directory,
        bool_or(scim.is_assigned is not null) as gives_assignments
    from graph.provider_users as scim
    left join account_sources on account_sources.source = scim.source
    group by scim.source, account_sources.source
),

covered_accounts as (
    select endpoints.*, account.source, account.account_id, account.status, account.email
    from endpoints
    join graph.accounts as account on account.source = endpoints.scim_source or not endpoints.is_sisense
    left join graph.sources as source on source.source = account.source
    -- Assignments are about Sisense, not about other applications.
    where not coalesce(source.is_from_files, false)
),

linked_users as (
    select
        link.scim_source, link.source, link.account_id, scim.external_id, scim.is_active, scim.email,
        scim.is_assigned,
        count(*) over (partition by link.scim_source, link.scim_id, link.source) as account_count
    from graph.scim_links as link
    join graph.provider_users as scim on scim.source = link.scim_source and scim.user_id = link.scim_id
),

linked_accounts as (
    select
        scim_source, source, account_id,
        bool_or(external_id is not null) as has_external_id,
        bool_or(is_assigned) as is_assigned,
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
            when covered.is_directory then linked.is_assigned
            when not covered.is_sisense or linked.has_external_id then true
            when covered.gives_external_id then false
        end as is_assigned,
        case when covered.gives_assignments then linked.account_id is not null end as is_known,
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
    bool_or(is_known) as is_known,
    case when bool_or(is_provisioned) then true when count(*) = count(is_provisioned) then false end as is_provisioned,
    coalesce(bool_and(is_comparable), false) as is_comparable,
    array_to_string(list_sort(list(scim_source)), '; ') as scim_sources
from endpoint_answers
group by source, account_id

/* example
name = "in Sisense an external id shows an assignment; an endpoint that reports no external ids leaves it null"
given."graph.provider_users" = [
  { source = "s", user_id = "1", is_directory = false, external_id = "x1", email = "a@x", is_active = true },
  { source = "s", user_id = "2", is_directory = false, email = "b@x", is_active = true },
  { source = "s", user_id = "4", is_directory = false },
  { source = "mute", user_id = "m", is_directory = false, is_active = true },
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
name = "a user in a directory is an assignment, but does not show how the account was created; accounts of files are not covered"
given."graph.provider_users" = [ { source = "idp", user_id = "1", is_directory = false, email = "a@x", is_active = true } ]
given."graph.scim_links" = [ { scim_source = "idp", scim_id = "1", source = "s", account_id = "1" } ]
given."graph.sources" = [ { source = "f", is_from_files = true } ]
given."graph.accounts" = [
  { source = "f", account_id = "1", status = "active", email = "a@x" },
  { source = "s", account_id = "1", status = "active", email = "a@x" },
  { source = "s", account_id = "2", status = "active", email = "b@x" },
]
expect = [
  { account_id = "1", is_assigned = true, is_provisioned = "<null>", is_comparable = true },
  { account_id = "2", is_assigned = false, is_provisioned = false, is_comparable = false },
]
*/
/* example
name = "in a directory only an assignment counts; the user alone is known, and without assignments nothing is"
given."graph.provider_users" = [
  { source = "d", user_id = "1", email = "a@x", is_active = true, is_directory = true, is_assigned = true },
  { source = "d", user_id = "2", email = "b@x", is_active = true, is_directory = true, is_assigned = false },
]
given."graph.scim_links" = [
  { scim_source = "d", scim_id = "1", source = "s", account_id = "1" }, { scim_source = "d", scim_id = "2", source = "s", account_id = "2" },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", email = "a@x" }, { source = "s", account_id = "2", status = "active", email = "b@x" },
  { source = "s", account_id = "3", status = "active", email = "c@x" },
]
expect = [
  { account_id = "1", is_assigned = true, is_known = true, is_provisioned = "<null>", is_comparable = true },
  { account_id = "2", is_assigned = false, is_known = true, is_comparable = true },
  { account_id = "3", is_assigned = false, is_known = false, is_comparable = false },
]
*/
/* example
name = "a directory without assignments does not show who is assigned, but who is not in it cannot be"
given."graph.provider_users" = [ { source = "d", user_id = "1", email = "a@x", is_active = true, is_directory = true } ]
given."graph.scim_links" = [ { scim_source = "d", scim_id = "1", source = "s", account_id = "1" } ]
given."graph.accounts" = [
  { source = "s", account_id = "1", status = "active", email = "a@x" }, { source = "s", account_id = "2", status = "active" },
]
expect = [
  { account_id = "1", is_assigned = "<null>", is_known = "<null>" }, { account_id = "2", is_assigned = false, is_known = "<null>" },
]
*/
