/*
title       = "Service account without review"
summary     = "A registered service account whose review is overdue, or that has no owner or no purpose."
severity    = "medium"
population  = "select distinct source, account_id from graph.registrations where policy = 'service_accounts'"
reads       = ["graph.accounts", "graph.registrations"]
grain       = ["source", "account_id"]
remediation = "Have the owner confirm the purpose and set the next review date in service_accounts.csv, or deactivate the account."

[controls]
pci = ["7.2.5.1"]
cis = ["5.5"]
*/
with

registrations as (
    select account.source, account.account_id, account.privileged, registered.owner_email, registered.purpose,
        registered.review_by
    from graph.registrations as registered
    join graph.accounts as account
        on account.source = registered.source and account.account_id = registered.account_id
    where registered.policy = 'service_accounts'
),

verdicts as (
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
        case when is_overdue then 'Its review was due on ' || strftime(review_by, '%-d %b %Y') || '.' end,
        case when has_no_owner then 'It has no owner.' end,
        case when has_no_purpose then 'It has no purpose.' end
    ) as detail,
    coalesce('review by ' || strftime(review_by, '%-d %b %Y'), 'no review date') as observed_value,
    'an owner, a purpose, and a review that is not overdue' as threshold
from verdicts
where has_no_owner or has_no_purpose or is_overdue or has_no_date

/* example
name = "a review due yesterday, no owner or no purpose fails; due today passes; without a date it is unknown"
as_of = 2026-04-01T09:00:00Z
given."graph.registrations" = [
  { source = "s", account_id = "1", policy = "service_accounts", owner_email = "o@example.com", purpose = "load", review_by = 2026-03-31 },
  { source = "s", account_id = "2", policy = "service_accounts", owner_email = "o@example.com", purpose = "load", review_by = 2026-04-01 },
  { source = "s", account_id = "3", policy = "service_accounts", purpose = "load", review_by = 2026-12-31 },
  { source = "s", account_id = "4", policy = "service_accounts", owner_email = "o@example.com", review_by = 2026-12-31 },
  { source = "s", account_id = "5", policy = "service_accounts", owner_email = "o@example.com", purpose = "load" },
  { source = "s", account_id = "6", policy = "break_glass" },
]
given."graph.accounts" = [
  { source = "s", account_id = "1", privileged = false, status = "inactive" },
  { source = "s", account_id = "2", privileged = false },
  { source = "s", account_id = "3", privileged = true },
  { source = "s", account_id = "4", privileged = false },
  { source = "s", account_id = "5", privileged = false },
  { source = "s", account_id = "6", privileged = false },
]
expect = [
  { account_id = "1", verdict = "failed", severity = "medium" },
  { account_id = "3", verdict = "failed", severity = "high" },
  { account_id = "4", verdict = "failed", severity = "medium" },
  { account_id = "5", verdict = "unknown" },
]
population = 5
*/
