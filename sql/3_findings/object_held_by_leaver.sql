/*
title       = "Dashboard or data model held by a leaver or an inactive account"
summary     = "A dashboard or data model that is owned by, or shared directly with, an inactive account or the account of a person who has left."
severity    = "medium"
population  = """
select source, object_type, object_id from graph.objects where object_type in ('dashboard', 'model')
union all
select source, object_type, object_id from graph.missing_objects where object_type in ('dashboard', 'model')
"""
reads       = ["graph.objects", "graph.missing_objects", "graph.object_grants", "graph.accounts", "graph.people"]
grain       = ["source", "object_type", "object_id", "account_id"]
needs       = "objects"
remediation = "Give it a new owner, or remove the account from its shares."

[controls]
soc2     = ["CC6.2", "CC6.3"]
iso27001 = ["A.5.18"]
nist     = ["AC-2", "PS-4"]
*/
with

holders as (
    select
        held.source, held.object_type, held.object_id, held.level, account.account_id, account.display_name,
        case
            when account.status = 'inactive' or person.employment_status = 'ended'
                or person.end_date <= cast($as_of as date) then 'failed'
            when account.status = 'unknown' then 'unknown'
        end as verdict,
        account.status = 'inactive' as is_inactive
    from graph.object_grants as held
    join graph.accounts as account on account.source = held.source and account.account_id = held.granted_to_id
    left join graph.people as person on person.person_id = account.person_id
    where held.granted_to_type = 'account' and held.object_type in ('dashboard', 'model') and held.object_id <> ''
),

verdicts as (
    select source, object_type, object_id, account_id, display_name, level, is_inactive, verdict
    from holders
    where verdict is not null
    union all
    select source, object_type, object_id, '', null, null, null, 'unknown'
    from graph.objects
    where object_type in ('dashboard', 'model') and has_shares is distinct from true
)

select
    verdicts.source,
    verdicts.object_type,
    verdicts.object_id,
    verdicts.account_id,
    verdicts.verdict,
    case when object.is_sensitive then 'high' else 'medium' end as severity,
    coalesce(verdicts.display_name, verdicts.account_id)
        || case when verdicts.is_inactive then ', whose account is inactive, ' else ', who has left, ' end
        || case verdicts.level when 'owner' then 'owns' when 'edit' then 'may edit' else 'still has a share in' end
        || ' the ' || replace(object.object_type, 'model', 'data model') || ' ' || object.object_name || '.'
        || case when object.is_sensitive then ' It is labelled ' || object.sensitivity || '.' else '' end as detail,
    case verdicts.level when 'owner' then 'owner' else verdicts.level || ' share' end as observed_value,
    'held by active accounts of people who work here' as threshold
from verdicts
join graph.objects as object
    on object.source = verdicts.source and object.object_type = verdicts.object_type
    and object.object_id = verdicts.object_id
union all
select source, object_type, object_id, '', 'unknown', null, null, null, null
from graph.missing_objects
where object_type in ('dashboard', 'model')

/* example
name = "inactive accounts and people who left fail as owners or with a share of their own; pending accounts, people on leave and group shares pass"
as_of = 2026-04-01T00:00:00Z
given."graph.people" = [
  { person_id = "left", employment_status = "ended" }, { person_id = "today", end_date = 2026-04-01 },
  { person_id = "tomorrow", employment_status = "active", end_date = 2026-04-02 }, { person_id = "leave", employment_status = "leave" },
]
given."graph.accounts" = [
  { source = "s", account_id = "left", display_name = "Ann", status = "active", person_id = "left" },
  { source = "s", account_id = "today", display_name = "Bo", status = "active", person_id = "today" },
  { source = "s", account_id = "tomorrow", display_name = "Cy", status = "active", person_id = "tomorrow" },
  { source = "s", account_id = "leave", display_name = "Di", status = "active", person_id = "leave" },
  { source = "s", account_id = "inactive", display_name = "Ed", status = "inactive" },
  { source = "s", account_id = "pending", display_name = "Flo", status = "pending" },
  { source = "s", account_id = "unknown", display_name = "Gus", status = "unknown" },
]
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales", is_sensitive = false, has_shares = true },
  { source = "s", object_type = "model", object_id = "m", object_name = "Pay", is_sensitive = true, sensitivity = "secret", has_shares = true },
  { source = "s", object_type = "dashboard", object_id = "unread", object_name = "Stock", is_sensitive = false, has_shares = false },
  { source = "s", object_type = "folder", object_id = "f", object_name = "Boards", is_sensitive = false, has_shares = false },
]
given."graph.object_grants" = [
  { source = "s", object_type = "dashboard", object_id = "d", level = "owner", granted_to_type = "account", granted_to_id = "left" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "view", granted_to_type = "account", granted_to_id = "today" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "edit", granted_to_type = "account", granted_to_id = "tomorrow" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "edit", granted_to_type = "account", granted_to_id = "leave" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "edit", granted_to_type = "account", granted_to_id = "pending" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "edit", granted_to_type = "account", granted_to_id = "unknown" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "edit", granted_to_type = "group", granted_to_id = "left" },
  { source = "s", object_type = "model", object_id = "m", level = "edit", granted_to_type = "account", granted_to_id = "inactive" },
  { source = "s", object_type = "folder", object_id = "f", level = "owner", granted_to_type = "account", granted_to_id = "left" },
]
expect = [
  { object_id = "d", account_id = "left", verdict = "failed", severity = "medium", detail = "Ann, who has left, owns the dashboard Sales." },
  { object_id = "d", account_id = "today", verdict = "failed", detail = "Bo, who has left, still has a share in the dashboard Sales." },
  { object_id = "d", account_id = "unknown", verdict = "unknown" },
  { object_id = "m", account_id = "inactive", verdict = "failed", severity = "high", detail = "Ed, whose account is inactive, may edit the data model Pay. It is labelled secret." },
  { object_id = "unread", account_id = "", verdict = "unknown" },
]
population = 3
*/
/* example
name = "objects that may be missing from their list are not evaluated; those that were read are"
given."graph.missing_objects" = [
  { source = "s", object_type = "dashboard", object_id = "" }, { source = "s", object_type = "model", object_id = "" },
  { source = "s", object_type = "mailed report", object_id = "" },
]
given."graph.objects" = [ { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales", is_sensitive = true, sensitivity = "secret", is_public = false, has_shares = true, owner_id = "a" } ]
expect = [ { object_type = "dashboard", object_id = "", verdict = "unknown" }, { object_type = "model", object_id = "", verdict = "unknown" } ]
population = 3
*/
