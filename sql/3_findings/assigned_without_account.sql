/*
title       = "Assigned, but without an account"
summary     = "A person who may sign in to the application by the identity provider, and has had no account in Sisense for longer than the limit."
severity    = "low"
population  = """
select distinct coalesce(person.person_id, provider.source || ':' || provider.user_id) as person_id
from graph.provider_users as provider
left join (
    select email_key, min(person_id) as person_id from graph.people group by email_key having count(*) = 1
) as person on person.email_key = provider.email_key
where provider.is_directory and provider.is_assigned and provider.is_active is distinct from false
"""
reads       = ["graph.provider_users", "graph.scim_links", "graph.people", "reference.snapshot"]
grain       = ["person_id"]
needs       = "provider"
remediation = "Find out whether provisioning failed. If the person does not need the application, remove the assignment."

[params]
grace_days = 7

[controls]
soc2     = ["CC6.2"]
iso27001 = ["A.5.18"]
nist     = ["AC-2"]
*/
with

single_people as (
    select email_key, min(person_id) as person_id from graph.people group by email_key having count(*) = 1
),

linked_users as (
    select distinct scim_source, scim_id from graph.scim_links
),

assigned_users as (
    select
        coalesce(person.person_id, provider.source || ':' || provider.user_id) as person_id,
        provider.source as provider, provider.assigned_at, provider.is_active,
        coalesce(provider.email, provider.user_name, provider.user_id) as name,
        linked.scim_id is not null as has_account
    from graph.provider_users as provider
    left join single_people as person on person.email_key = provider.email_key
    left join linked_users as linked
        on linked.scim_source = provider.source and linked.scim_id = provider.user_id
    where provider.is_directory and provider.is_assigned and provider.is_active is distinct from false
),

verdicts as (
    select
        assigned.person_id,
        min(assigned.name) as name, min(assigned.provider) as provider, min(assigned.assigned_at) as assigned_at,
        case
            when bool_or(assigned.has_account) then null
            when bool_and(assigned.assigned_at >= $as_of - to_days($grace_days)) then null
            -- The account may be missing from a list that is not proven complete.
            when any_value(snapshot.completeness) <> 'FULL' or not coalesce(bool_or(assigned.is_active), false)
                then 'unknown'
            else 'failed'
        end as verdict
    from assigned_users as assigned
    cross join reference.snapshot as snapshot
    group by assigned.person_id
)

select
    person_id,
    verdict,
    name || ' is assigned to the application in ' || provider
        || case when assigned_at is null then '' else ' since ' || strftime(assigned_at, '%-d %b %Y') end
        || ', and has no account.' as detail,
    'no account' as observed_value,
    'an account within ' || counted($grace_days, 'day') || ' of the assignment' as threshold
from verdicts
where verdict is not null

/* example
name = "no account after the limit fails; at the limit, with an account, without an assignment or inactive passes"
as_of = 2026-03-08T00:00:00Z
given."reference.snapshot" = [ { completeness = "FULL" } ]
given."graph.people" = [ { person_id = "p", email_key = "late@x" } ]
given."graph.provider_users" = [
  { source = "d", user_id = "late", email = "late@x", email_key = "late@x", is_directory = true, is_assigned = true, is_active = true, assigned_at = 2026-02-28T23:59:59Z },
  { source = "d", user_id = "dateless", email = "b@x", email_key = "b@x", is_directory = true, is_assigned = true, is_active = true },
  { source = "d", user_id = "new", is_directory = true, is_assigned = true, is_active = true, assigned_at = 2026-03-01T00:00:00Z },
  { source = "d", user_id = "served", is_directory = true, is_assigned = true, is_active = true },
  { source = "d", user_id = "left", is_directory = true, is_assigned = true, is_active = false },
  { source = "d", user_id = "other", is_directory = true, is_assigned = false, is_active = true },
  { source = "d", user_id = "stateless", is_directory = true, is_assigned = true },
  { source = "scim", user_id = "pushed", is_directory = false, is_active = true },
]
given."graph.scim_links" = [ { scim_source = "d", scim_id = "served", source = "s", account_id = "1" } ]
expect = [
  { person_id = "p", verdict = "failed", detail = "late@x is assigned to the application in d since 28 Feb 2026, and has no account." },
  { person_id = "d:dateless", verdict = "failed", detail = "b@x is assigned to the application in d, and has no account." },
  { person_id = "d:stateless", verdict = "unknown" },
]
population = 5
*/
/* example
name = "an extract that is not proven complete shows nothing"
given."reference.snapshot" = [ { completeness = "PARTIAL" } ]
given."graph.provider_users" = [ { source = "d", user_id = "u", is_directory = true, is_assigned = true, is_active = true } ]
expect = [ { person_id = "d:u", verdict = "unknown" } ]
population = 1
*/
/* example
name = "a provider without assignments has no population"
given."reference.snapshot" = [ { completeness = "FULL" } ]
given."graph.provider_users" = [ { source = "d", user_id = "u", is_directory = true, is_active = true } ]
expect = []
population = 0
*/
