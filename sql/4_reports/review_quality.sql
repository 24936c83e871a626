/*
summary = "How one review campaign was carried out, that is open or the last that was signed off, as far as this extract can know. The decisions and what is pending add up to the items."
reads   = ["graph.review_campaigns", "graph.review_decisions", "review.campaigns", "review.items"]
grain   = ["campaign"]

[columns]
campaign             = "varchar: the review campaign's name"
snapshot_id          = "varchar: the extract it is about"
scope                = "varchar: all, privileged, flagged or changed"
opened_at            = "timestamp: when it was opened, UTC"
due_on               = "date: the last day for decisions"
is_overdue           = "boolean: that day was over and something was pending"
signed_at            = "timestamp: when it was signed off, UTC; null if it was not by then"
signed_by            = "varchar: who signed"
known_at             = "timestamp: what came in later is not counted, UTC"
snapshot_items       = "bigint: roles and groups of accounts in the extract; null where that was not written down"
outside_scope        = "bigint: those outside the campaign's scope"
left_out             = "bigint: those in the scope that nobody was asked about, each with a reason"
items                = "bigint: those that somebody was asked about"
kept                 = "bigint: decided to keep"
removed              = "bigint: decided to remove"
reduced              = "bigint: decided to reduce"
deferred             = "bigint: put off to a day"
excepted             = "bigint: kept as an exception"
pending              = "bigint: not decided"
high_risk            = "bigint: items of high or critical risk"
high_risk_pending    = "bigint: those not decided"
reviewers            = "bigint: how many people were asked"
snapshot_accounts    = "bigint: accounts in the extract; null where that was not written down"
accounts             = "bigint: accounts with an item that somebody was asked about"
accounts_decided     = "bigint: accounts with nothing pending"
item_coverage        = "double: items as a part of those in the extract, 0 to 1"
account_coverage     = "double: accounts as a part of those in the extract, 0 to 1"
approval_rate        = "double: kept as a part of what is decided, 0 to 1; null while nothing is"
timed                = "bigint: decisions whose time the reviewer gave"
median_seconds       = "double: the median time from one decision of a reviewer to the next; null where not known"
longest_run          = "bigint: most neighbours in a packet with the same decision; null where nothing is decided"
longest_run_reviewer = "varchar: in whose packet; the first by address if several"
self_reviews         = "bigint: decisions on the reviewer's own access: must be 0"
self_reviews_unknown = "bigint: decisions where nothing says whose the account is, so that it cannot be told"

[checks.adds_up]
level = "fail"
sql = """
select campaign || ': the decisions do not add up to the items' as problem
from reports.review_quality
where items <> kept + removed + reduced + deferred + excepted + pending
    or snapshot_items <> outside_scope + left_out + items
"""
*/
with

asked as (
    select
        campaign, count(*) as items,
        count(*) filter (where decision = 'keep') as kept,
        count(*) filter (where decision = 'remove') as removed,
        count(*) filter (where decision = 'reduce') as reduced,
        count(*) filter (where decision = 'defer') as deferred,
        count(*) filter (where decision = 'exception') as excepted,
        count(*) filter (where decision is null) as pending,
        count(*) filter (where is_high_risk) as high_risk,
        count(*) filter (where is_high_risk and decision is null) as high_risk_pending,
        count(distinct reviewer_email) as reviewers,
        count(decided_at) as timed,
        median(seconds_taken) as median_seconds,
        max(run_length) as longest_run,
        count(*) filter (where is_self_review) as self_reviews,
        count(*) filter (where decision is not null and is_self_review is null) as self_reviews_unknown
    from graph.review_decisions
    where is_current
    group by campaign
),

by_account as (
    select campaign, source, account_id, count(*) filter (where decision is null) as pending
    from graph.review_decisions
    where is_current
    group by campaign, source, account_id
),

accounts as (
    select campaign, count(*) as accounts, count(*) filter (where pending = 0) as accounts_decided
    from by_account
    group by campaign
),

left_out as (
    select campaign, count(*) as left_out from review.items where exclusion_reason is not null group by campaign
),

longest as (
    select decisions.campaign, min(decisions.reviewer_email) as reviewer_email
    from graph.review_decisions as decisions
    join asked on asked.campaign = decisions.campaign and asked.longest_run = decisions.run_length
    group by decisions.campaign
)

select
    known.campaign,
    known.snapshot_id,
    known.scope,
    known.opened_at,
    known.due_on,
    known.signed_at is null and asked.pending > 0 and coalesce(known.due_on < cast(known.known_at as date), false)
        as is_overdue,
    known.signed_at,
    known.signed_by,
    known.known_at,
    campaigns.snapshot_items,
    campaigns.snapshot_items - asked.items - coalesce(left_out.left_out, 0) as outside_scope,
    coalesce(left_out.left_out, 0) as left_out,
    asked.items,
    asked.kept,
    asked.removed,
    asked.reduced,
    asked.deferred,
    asked.excepted,
    asked.pending,
    asked.high_risk,
    asked.high_risk_pending,
    asked.reviewers,
    campaigns.snapshot_accounts,
    accounts.accounts,
    accounts.accounts_decided,
    asked.items / campaigns.snapshot_items as item_coverage,
    accounts.accounts / campaigns.snapshot_accounts as account_coverage,
    asked.kept / nullif(asked.items - asked.pending, 0) as approval_rate,
    asked.timed,
    asked.median_seconds,
    asked.longest_run,
    longest.reviewer_email as longest_run_reviewer,
    asked.self_reviews,
    asked.self_reviews_unknown
from graph.review_campaigns as known
join asked on asked.campaign = known.campaign
join accounts on accounts.campaign = known.campaign
join review.campaigns as campaigns on campaigns.campaign = known.campaign
left join left_out on left_out.campaign = known.campaign
left join longest on longest.campaign = known.campaign
where known.is_current

/* example
name = "decisions and what is pending add up; coverage is of the whole extract; a campaign that another has followed is not shown"
given."graph.review_campaigns" = [
  { campaign = "Q", snapshot_id = "a", scope = "all", due_on = 2025-12-31, opened_at = 2025-12-01T00:00:00Z, known_at = 2026-01-01T00:00:00Z, is_current = true },
  { campaign = "old", snapshot_id = "a", scope = "all", opened_at = 2025-06-01T00:00:00Z, known_at = 2026-01-01T00:00:00Z, is_current = false },
]
given."review.campaigns" = [ { campaign = "Q", snapshot_items = 10, snapshot_accounts = 4 }, { campaign = "old" } ]
given."review.items" = [ { campaign = "Q", item_id = "x", exclusion_reason = "training" } ]
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", source = "s", account_id = "1", reviewer_email = "a", decision = "keep", decided_at = 2025-12-02T00:00:00Z, run_length = 2, is_self_review = true, is_high_risk = true, is_current = true },
  { campaign = "Q", item_id = "2", source = "s", account_id = "1", reviewer_email = "a", decision = "keep", decided_at = 2025-12-02T00:00:09Z, seconds_taken = 9.0, run_length = 2, is_self_review = false, is_current = true },
  { campaign = "Q", item_id = "3", source = "s", account_id = "2", reviewer_email = "a", decision = "remove", run_length = 1, is_current = true },
  { campaign = "Q", item_id = "4", source = "s", account_id = "2", reviewer_email = "b", decision = "exception", run_length = 1, is_self_review = false, is_current = true },
  { campaign = "Q", item_id = "5", source = "s", account_id = "2", reviewer_email = "b", is_high_risk = true, is_current = true },
  { campaign = "old", item_id = "1", source = "s", account_id = "1", reviewer_email = "a", decision = "keep", is_current = false },
]
expect = [
  { campaign = "Q", is_overdue = true, snapshot_items = 10, outside_scope = 4, left_out = 1, items = 5, kept = 2, removed = 1, reduced = 0, deferred = 0, excepted = 1, pending = 1, high_risk = 2, high_risk_pending = 1, reviewers = 2, snapshot_accounts = 4, accounts = 2, accounts_decided = 1, item_coverage = 0.5, account_coverage = 0.5, approval_rate = 0.5, timed = 2, median_seconds = 9.0, longest_run = 2, longest_run_reviewer = "a", self_reviews = 1, self_reviews_unknown = 1 },
]
*/
/* example
name = "what nobody wrote down is not known, and the last day itself is not over"
given."graph.review_campaigns" = [ { campaign = "Q", snapshot_id = "a", scope = "all", due_on = 2026-01-01, opened_at = 2025-12-01T00:00:00Z, known_at = 2026-01-01T12:00:00Z, is_current = true } ]
given."review.campaigns" = [ { campaign = "Q" } ]
given."graph.review_decisions" = [ { campaign = "Q", item_id = "1", source = "s", account_id = "1", reviewer_email = "a", is_current = true } ]
expect = [
  { campaign = "Q", is_overdue = false, snapshot_items = "<null>", outside_scope = "<null>", items = 1, pending = 1, item_coverage = "<null>", account_coverage = "<null>", approval_rate = "<null>", median_seconds = "<null>", longest_run = "<null>", longest_run_reviewer = "<null>", self_reviews = 0 },
]
*/
