/*
summary = "One recipient of one dashboard that the source sends by mail. The members of a group are not listed."
reads   = ["staging.mailed_reports", "staging.mailed_report_recipients", "graph.accounts"]
grain   = ["source", "mailed_report_id", "dashboard_id", "recipient_type", "recipient_id", "email_key"]

[columns]
source           = "varchar: the source's name in the configuration"
mailed_report_id = "varchar: the source's own id of the report"
dashboard_id     = "varchar: a dashboard that it contains; empty if the source does not say"
is_enabled       = "boolean: the report is sent; null if not known"
recipient_type   = "varchar: user, group, email (an address without an account) or unknown"
recipient_id     = "varchar: the account or group; empty if the source does not say"
recipient_name   = "varchar: the account's name, else the address; null if neither is known"
email_key        = "varchar: the address, normalised for comparison; empty if there is none"
email_domain     = "varchar: domain of the address, else of the account's address; null if neither is known"
*/
select
    report.source,
    report.mailed_report_id,
    report.dashboard_id,
    report.is_enabled,
    recipient.recipient_type,
    recipient.recipient_id,
    coalesce(account.display_name, recipient.email) as recipient_name,
    recipient.email_key,
    case
        when contains(recipient.email_key, '@') then regexp_extract(recipient.email_key, '@([^@]*)$', 1)
        else account.email_domain
    end as email_domain
from staging.mailed_reports as report
join staging.mailed_report_recipients as recipient
    on recipient.source = report.source and recipient.mailed_report_id = report.mailed_report_id
left join graph.accounts as account
    on recipient.recipient_type = 'user' and account.source = recipient.source
    and account.account_id = recipient.recipient_id

/* example
name = "each recipient gets each dashboard; an account without an address in the report has its own; a report without recipients has no rows"
given."staging.mailed_reports" = [
  { source = "s", mailed_report_id = "1", dashboard_id = "d", is_enabled = true },
  { source = "s", mailed_report_id = "1", dashboard_id = "e", is_enabled = true },
  { source = "s", mailed_report_id = "nobody", dashboard_id = "d", is_enabled = true },
]
given."staging.mailed_report_recipients" = [
  { source = "s", mailed_report_id = "1", recipient_type = "user", recipient_id = "a", email_key = "" },
  { source = "s", mailed_report_id = "1", recipient_type = "email", recipient_id = "", email = "X@Partner.test", email_key = "x@partner.test" },
  { source = "t", mailed_report_id = "1", recipient_type = "email", recipient_id = "", email = "y@partner.test", email_key = "y@partner.test" },
]
given."graph.accounts" = [ { source = "s", account_id = "a", display_name = "Ann", email_domain = "example.com" } ]
expect = [
  { mailed_report_id = "1", dashboard_id = "d", recipient_id = "a", recipient_name = "Ann", email_domain = "example.com" },
  { mailed_report_id = "1", dashboard_id = "e", recipient_id = "a", recipient_name = "Ann", email_domain = "example.com" },
  { mailed_report_id = "1", dashboard_id = "d", recipient_type = "email", recipient_name = "X@Partner.test", email_domain = "partner.test" },
  { mailed_report_id = "1", dashboard_id = "e", recipient_type = "email", recipient_name = "X@Partner.test", email_domain = "partner.test" },
]
*/
