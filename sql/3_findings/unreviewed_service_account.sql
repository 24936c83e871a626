/*
title       = "Service account that nobody has reviewed"
summary     = "A registered service account whose review is overdue, or that has no owner or no purpose."
severity    = "medium"
population  = """
select distinct account.source, account.account_id
from graph.accounts as account
join policy.service_accounts as registered
    on lower(registered.user_name) = lower(account.user_name) or lower(registered.email) = lower(account.email)
"""
reads       = ["graph.accounts", "policy.service_accounts"]
grain       = ["source", "account_id"]
remediation = "Let the owner confirm what it is for and set the next review in service_accounts.csv, or disable it."

[controls]
pci = ["7.2.5.1"]
cis = ["5.5"]
*/
with

registrations as (
    select account.source, account.account_id, account.privileged, registered.owner_email, registered.purpose,
        registered.review_by
    from graph.accounts as account
    join policy.service_accounts as registered
        on lower(registered.user_name) = lower(account.user_name) or lower(registered.email) = lower(account.email)
),

judged as (
    select
        source, account_id, privileged,
        bool_or(owner_email is null) as has_no_owner,
        bool_or(purpose is null) as has_no_purpose,
        bool_or(review_by < cast($as_of as date)) as is_overdue,
        min(review_by) as review_by,
        bool_or(review_by is null) as has_no_date
    from registrations
    group by source, account_id, privileged
)

select
    source,
    account_id,
    case when has_no_owner or has_no_purpose or is_overdue then 'failed' else 'unknown' end as verdict,
    case when privileged then 'high' else 'medium' end as severity,
    concat_ws(
        ' ',
        case when is_overdue then 'Its review was due on ' || strftime(review_by, '%Y-%m-%d') || '.' end,
        case when has_no_owner then 'It has no owner.' end,
        case when has_no_purpose then 'It has no purpose.' end
    ) as detail,
    coalesce('review by ' || strftime(review_by, '%Y-%m-%d'), 'no review date') as observed_value,
    'an owner, a purpose, and a review that is not overdue' as threshold
from judged
where has_no_owner or has_no_purpose or is_overdue or has_no_date

/* example
name = "overdue since yesterday, no owner or no purpose fails; due today passes; without a date it is unknown"
as_of = 2026-04-01T09:00:00Z
given."policy.service_accounts" = [
  { user_name = "OVERDUE", owner_email = "o@example.com", purpose = "load", review_by = 2026-03-31, is_default = false },
  { email = "today@example.com", owner_email = "o@example.com", purpose = "load", review_by = 2026-04-01, is_default = false },
  { user_name = "no owner", purpose = "load", review_by = 2026-12-31, is_default = false },
  { user_name = "no purpose", owner_email = "o@example.com", review_by = 2026-12-31, is_default = false },
  { user_name = "no date", owner_email = "o@example.com", purpose = "load", is_default = false },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", user_name = "overdue", privileged = false, status = "inactive" },
  { source = "s", account_id = "2", email = "Today@example.com", privileged = false },
  { source = "s", account_id = "3", user_name = "no owner", privileged = true },
  { source = "s", account_id = "4", user_name = "no purpose", privileged = false },
  { source = "s", account_id = "5", user_name = "no date", privileged = false },
  { source = "s", account_id = "6", user_name = "not registered", privileged = false },
]
expect = [
  { account_id = "1", verdict = "failed", severity = "medium" },
  { account_id = "3", verdict = "failed", severity = "high" },
  { account_id = "4", verdict = "failed", severity = "medium" },
  { account_id = "5", verdict = "unknown" },
]
population = 5
*/
