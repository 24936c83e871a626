/*
title       = "Shared outside the organization"
summary     = "A dashboard or data model that is owned by or shared directly with an external address, that an external address is invited to, or that is shared with an account that does not exist."
severity    = "medium"
population  = """
select source, object_type, object_id from graph.objects where object_type in ('dashboard', 'model')
union all
select source, object_type, object_id from graph.missing_objects where object_type in ('dashboard', 'model')
"""
reads       = ["graph.objects", "graph.missing_objects", "graph.object_grants", "graph.accounts", "policy.email_domains"]
grain       = ["source", "object_type", "object_id", "party_type", "party_id"]
needs       = "objects"
remediation = "Confirm that the outsider needs it and name the person responsible, or remove the share or the invitation."

[controls]
soc2     = ["CC6.1", "CC6.3"]
iso27001 = ["A.5.14", "A.5.19"]
pci      = ["7.2.4"]
nist     = ["AC-3", "AC-21"]
*/
with

own_domains as (
    select count(*) > 0 as is_known from policy.email_domains
),

parties as (
    select
        held.source, held.object_type, held.object_id, held.level, held.granted_to_type as party_type,
        held.granted_to_id as party_id, account.account_id,
        coalesce(account.display_name, held.granted_to_name) as party_name,
        held.granted_to_type = 'account' and account.account_id is null as is_missing,
        case
            when held.granted_to_type = 'account' then account.email_domain
            when contains(held.granted_to_id, '@') then lower(regexp_extract(held.granted_to_id, '@([^@]*)$', 1))
        end as email_domain
    from graph.object_grants as held
    left join graph.accounts as account
        on held.granted_to_type = 'account' and account.source = held.source and account.account_id = held.granted_to_id
    where held.granted_to_type in ('account', 'invitation') and held.object_type in ('dashboard', 'model')
        -- An owner who does not exist makes the object orphaned, which is another rule.
        and not (held.level = 'owner' and account.account_id is null)
),

party_verdicts as (
    select
        parties.*,
        case
            when parties.is_missing then 'failed'
            when parties.email_domain is null or not own_domains.is_known then 'unknown'
            when inside.email_domain is null then 'failed'
        end as verdict
    from parties
    cross join own_domains
    left join policy.email_domains as inside on inside.email_domain = parties.email_domain
),

verdicts as (
    select
        source, object_type, object_id, party_type, party_id, account_id, party_name, email_domain, level, is_missing,
        verdict
    from party_verdicts
    where verdict is not null
    union all
    select source, object_type, object_id, '', '', null, null, null, null, null, 'unknown'
    from graph.objects
    where
        object_type in ('dashboard', 'model')
        -- the answer that says whether a dashboard is public also has its invitations
        and (has_shares is distinct from true or (object_type = 'dashboard' and is_public is null))
)

select
    verdicts.source,
    verdicts.object_type,
    verdicts.object_id,
    verdicts.party_type,
    verdicts.party_id,
    verdicts.account_id,
    verdicts.verdict,
    case when object.is_sensitive then 'high' else 'medium' end as severity,
    case
        when verdicts.is_missing then
            'The ' || replace(object.object_type, 'model', 'data model') || ' ' || object.object_name || ' is shared with an account that does not exist.'
        when verdicts.party_type = 'invitation' then
            coalesce(verdicts.party_name, verdicts.party_id) || ' is invited to the ' || replace(object.object_type, 'model', 'data model') || ' '
            || object.object_name || ' and has no account yet.'
        else
            verdicts.party_name || ' has an external address (' || verdicts.email_domain || ') and '
            || case verdicts.level when 'owner' then 'owns' when 'edit' then 'may edit' else 'may open' end
            || ' the ' || replace(object.object_type, 'model', 'data model') || ' ' || object.object_name || '.'
    end
        || case when object.is_sensitive then ' It is labelled ' || object.sensitivity || '.' else '' end as detail,
    case when verdicts.is_missing then 'no such account' else verdicts.email_domain end as observed_value,
    'the organization''s domains' as threshold
from verdicts
join graph.objects as object
    on object.source = verdicts.source and object.object_type = verdicts.object_type
    and object.object_id = verdicts.object_id
union all
select source, object_type, object_id, '', '', null, 'unknown', null, null, null, null
from graph.missing_objects
where object_type in ('dashboard', 'model')

/* example
name = "external owners, shares and invitations fail, and shares with unknown accounts; members of groups and unknown owners are not examined"
given."policy.email_domains" = [ { email_domain = "example.com" } ]
given."graph.accounts" = [
  { source = "s", account_id = "in", display_name = "Ann", email_domain = "example.com" },
  { source = "s", account_id = "out", display_name = "Bo", email_domain = "partner.test" },
  { source = "s", account_id = "no address", display_name = "Cy" },
]
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales", is_sensitive = false, has_shares = true, is_public = false },
  { source = "s", object_type = "model", object_id = "m", object_name = "Pay", is_sensitive = true, sensitivity = "secret", has_shares = true },
  { source = "s", object_type = "dashboard", object_id = "inside", object_name = "Costs", is_sensitive = false, has_shares = true, is_public = false },
  { source = "s", object_type = "dashboard", object_id = "unread", object_name = "Stock", is_sensitive = false, has_shares = false },
  { source = "s", object_type = "dashboard", object_id = "invitations unread", object_name = "Leads", is_sensitive = false, has_shares = true },
]
given."graph.object_grants" = [
  { source = "s", object_type = "dashboard", object_id = "d", level = "owner", granted_to_type = "account", granted_to_id = "out", granted_to_name = "Bo" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "view", granted_to_type = "account", granted_to_id = "gone" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "view", granted_to_type = "invitation", granted_to_id = "x@partner.test", granted_to_name = "X@partner.test" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "view", granted_to_type = "invitation", granted_to_id = "y@example.com", granted_to_name = "y@example.com" },
  { source = "s", object_type = "dashboard", object_id = "d", level = "view", granted_to_type = "account", granted_to_id = "no address", granted_to_name = "Cy" },
  { source = "s", object_type = "model", object_id = "m", level = "use", granted_to_type = "account", granted_to_id = "out", granted_to_name = "Bo" },
  { source = "s", object_type = "dashboard", object_id = "inside", level = "edit", granted_to_type = "account", granted_to_id = "in", granted_to_name = "Ann" },
  { source = "s", object_type = "dashboard", object_id = "inside", level = "edit", granted_to_type = "group", granted_to_id = "gone" },
  { source = "s", object_type = "dashboard", object_id = "inside", level = "owner", granted_to_type = "account", granted_to_id = "gone" },
]
expect = [
  { object_id = "d", party_id = "out", verdict = "failed", severity = "medium", account_id = "out", detail = "Bo has an external address (partner.test) and owns the dashboard Sales." },
  { object_id = "d", party_id = "gone", verdict = "failed", account_id = "<null>", detail = "The dashboard Sales is shared with an account that does not exist." },
  { object_id = "d", party_id = "x@partner.test", verdict = "failed", detail = "X@partner.test is invited to the dashboard Sales and has no account yet." },
  { object_id = "d", party_id = "no address", verdict = "unknown" },
  { object_id = "m", party_id = "out", verdict = "failed", severity = "high" },
  { object_id = "unread", party_id = "", verdict = "unknown" },
  { object_id = "invitations unread", party_id = "", verdict = "unknown" },
]
population = 5
*/
/* example
name = "if the organization's domains are not known, addresses are not evaluated"
given."graph.accounts" = [ { source = "s", account_id = "a", display_name = "Ann", email_domain = "example.com" } ]
given."graph.objects" = [ { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales", is_sensitive = false, has_shares = true, is_public = false } ]
given."graph.object_grants" = [ { source = "s", object_type = "dashboard", object_id = "d", level = "view", granted_to_type = "account", granted_to_id = "a", granted_to_name = "Ann" } ]
expect = [ { object_id = "d", party_id = "a", verdict = "unknown" } ]
population = 1
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
