/*
title       = "Dashboard mailed outside the organization"
summary     = "A dashboard that a scheduled report mails to an address outside the organization's domains."
severity    = "medium"
population  = """
select distinct
    source, case when dashboard_id = '' then 'mailed report' else 'dashboard' end as object_type,
    case when dashboard_id = '' then mailed_report_id else dashboard_id end as object_id
from graph.mailed_reports
union all
select source, object_type, object_id from graph.missing_objects where object_type = 'mailed report'
"""
reads       = ["graph.mailed_reports", "graph.missing_objects", "graph.objects", "policy.email_domains"]
grain       = ["source", "object_type", "object_id", "party_type", "party_id"]
needs       = "mailed_reports"
remediation = "Remove the outsider from the report's recipients, or record who approved it and for how long."

[controls]
soc2     = ["CC6.1", "CC6.7"]
iso27001 = ["A.5.14", "A.8.12"]
nist     = ["AC-3", "AC-21"]
*/
with

own_domains as (
    select count(*) > 0 as is_known from policy.email_domains
),

recipient_verdicts as (
    select
        mailed.*,
        case
            when mailed.email_domain is null or not own_domains.is_known then 'unknown'
            when inside.email_domain is not null then 'passed'
            when mailed.is_enabled then 'failed'
            else 'unknown'
        end as verdict
    from graph.mailed_reports as mailed
    cross join own_domains
    left join policy.email_domains as inside on inside.email_domain = mailed.email_domain
    -- A report that is switched off is not sent. As for shares, the external members of a group are not found here.
    where mailed.is_enabled is distinct from false and (mailed.recipient_type <> 'group' or mailed.email_domain is not null)
),

verdicts as (
    select
        source,
        case when dashboard_id = '' then 'mailed report' else 'dashboard' end as object_type,
        case when dashboard_id = '' then mailed_report_id else dashboard_id end as object_id,
        recipient_type as party_type,
        case when email_key = '' then recipient_id else email_key end as party_id,
        min(case when recipient_type = 'user' then nullif(recipient_id, '') end) as account_id,
        min(recipient_name) as recipient_name,
        min(email_domain) as email_domain,
        min(verdict) as verdict, -- 'failed' comes before 'unknown'
        count(distinct mailed_report_id) filter (where verdict = 'failed') as reports,
        string_agg(distinct mailed_report_id, ', ' order by mailed_report_id) filter (where verdict = 'failed') as report_ids
    from recipient_verdicts
    where verdict <> 'passed'
    group by 1, 2, 3, 4, 5
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
        when verdicts.object_type = 'dashboard' then
            'The dashboard ' || coalesce(object.object_name, verdicts.object_id) || ' is mailed to '
        else 'A report, whose dashboards are not known, is mailed to '
    end
        || coalesce(verdicts.recipient_name, verdicts.party_id) || ', whose address is outside the organization ('
        || verdicts.email_domain || ').'
        || case when object.is_sensitive then ' It is labelled ' || object.sensitivity || '.' else '' end as detail,
    verdicts.email_domain || ', in ' || counted(verdicts.reports, 'mailed report') as observed_value,
    'the organization''s domains' as threshold,
    cast({'mailed_report_ids': verdicts.report_ids} as json) as evidence
from verdicts
left join graph.objects as object
    on object.source = verdicts.source and object.object_type = verdicts.object_type
    and object.object_id = verdicts.object_id
union all
select source, object_type, object_id, '', '', null, 'unknown', null, null, null, null, null
from graph.missing_objects
where object_type = 'mailed report'

/* example
name = "an outsider among the recipients fails, once for several reports; insiders, groups and reports that are switched off pass"
given."policy.email_domains" = [ { email_domain = "example.com" } ]
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales", is_sensitive = false },
  { source = "s", object_type = "dashboard", object_id = "pay", object_name = "Pay", is_sensitive = true, sensitivity = "secret" },
]
given."graph.mailed_reports" = [
  { source = "s", mailed_report_id = "1", dashboard_id = "d", is_enabled = true, recipient_type = "email", recipient_id = "", recipient_name = "X@partner.test", email_key = "x@partner.test", email_domain = "partner.test" },
  { source = "s", mailed_report_id = "2", dashboard_id = "d", is_enabled = true, recipient_type = "email", recipient_id = "", recipient_name = "x@partner.test", email_key = "x@partner.test", email_domain = "partner.test" },
  { source = "s", mailed_report_id = "1", dashboard_id = "d", is_enabled = true, recipient_type = "user", recipient_id = "a", recipient_name = "Ann", email_key = "", email_domain = "example.com" },
  { source = "s", mailed_report_id = "3", dashboard_id = "pay", is_enabled = true, recipient_type = "user", recipient_id = "b", recipient_name = "Bo", email_key = "", email_domain = "partner.test" },
  { source = "s", mailed_report_id = "4", dashboard_id = "off", is_enabled = false, recipient_type = "email", recipient_id = "", email_key = "x@partner.test", email_domain = "partner.test" },
  { source = "s", mailed_report_id = "5", dashboard_id = "group", is_enabled = true, recipient_type = "group", recipient_id = "g", email_key = "" },
  { source = "s", mailed_report_id = "6", dashboard_id = "", is_enabled = true, recipient_type = "email", recipient_id = "", recipient_name = "x@partner.test", email_key = "x@partner.test", email_domain = "partner.test" },
]
expect = [
  { object_type = "dashboard", object_id = "d", party_id = "x@partner.test", account_id = "<null>", verdict = "failed", severity = "medium", detail = "The dashboard Sales is mailed to X@partner.test, whose address is outside the organization (partner.test).", observed_value = "partner.test, in 2 mailed reports" },
  { object_type = "dashboard", object_id = "pay", party_id = "b", account_id = "b", verdict = "failed", severity = "high" },
  { object_type = "mailed report", object_id = "6", verdict = "failed", detail = "A report, whose dashboards are not known, is mailed to x@partner.test, whose address is outside the organization (partner.test)." },
]
population = 5
*/
/* example
name = "recipients without an address and reports that may be switched off are not evaluated; nor, once, are reports that could not be read"
given."policy.email_domains" = [ { email_domain = "example.com" } ]
given."graph.missing_objects" = [
  { source = "s", object_type = "mailed report", object_id = "" }, { source = "s", object_type = "dashboard", object_id = "" },
]
given."graph.mailed_reports" = [
  { source = "s", mailed_report_id = "1", dashboard_id = "d", is_enabled = true, recipient_type = "unknown", recipient_id = "r", email_key = "" },
  { source = "s", mailed_report_id = "2", dashboard_id = "e", recipient_type = "email", recipient_id = "", email_key = "x@partner.test", email_domain = "partner.test" },
  { source = "s", mailed_report_id = "2", dashboard_id = "e", recipient_type = "email", recipient_id = "", email_key = "y@example.com", email_domain = "example.com" },
]
expect = [
  { object_id = "d", party_id = "r", verdict = "unknown" },
  { object_id = "e", party_id = "x@partner.test", verdict = "unknown" },
  { object_type = "mailed report", object_id = "", party_id = "", verdict = "unknown" },
]
population = 3
*/
/* example
name = "if the organization's domains are not known, recipients are not evaluated"
given."graph.mailed_reports" = [
  { source = "s", mailed_report_id = "1", dashboard_id = "d", is_enabled = true, recipient_type = "email", recipient_id = "", email_key = "x@partner.test", email_domain = "partner.test" },
]
expect = [ { object_id = "d", party_id = "x@partner.test", verdict = "unknown" } ]
population = 1
*/
