/*
summary = "Key figures of one review campaign that is open, or that was signed off last, as of this snapshot. Decisions and pending items add up to the items."
reads   = ["graph.review_campaigns", "graph.review_decisions", "review.campaigns", "review.items"]
grain   = ["campaign"]

[columns]
campaign             = "varchar: the review campaign's name"
snapshot_id          = "varchar: the snapshot under review"
scope                = "varchar: all, privileged, external, flagged or changed"
opened_at            = "timestamp: when it was opened, UTC"
due_on               = "date: the last day for decisions"
is_overdue           = "boolean: that day has passed and items are pending"
signed_at            = "timestamp: when it was signed off, UTC; null if not by then"
signed_by            = "varchar: who signed"
known_at             = "timestamp: later decisions are not counted, UTC"
snapshot_items       = "bigint: roles and groups of accounts in the snapshot; null if not recorded"
outside_scope        = "bigint: those outside the campaign's scope"
left_out             = "bigint: those in scope without a reviewer, each with a reason"
items                = "bigint: those assigned to a reviewer"
kept                 = "bigint: decided to keep"
removed              = "bigint: decided to remove"
reduced              = "bigint: decided to reduce"
deferred             = "bigint: deferred to a later day"
excepted             = "bigint: kept as an exception"
pending              = "bigint: not decided"
high_risk            = "bigint: items of high or critical risk"
high_risk_pending    = "bigint: high-risk items not decided"
reviewers            = "bigint: number of reviewers"
snapshot_accounts    = "bigint: accounts in the snapshot; null if not recorded"
accounts             = "bigint: accounts with an item to decide"
accounts_decided     = "bigint: accounts with nothing pending"
item_coverage        = "double: share of items in the snapshot, 0 to 1"
account_coverage     = "double: share of accounts in the snapshot, 0 to 1"
approval_rate        = "double: share of decisions to keep, 0 to 1; null without decisions"
timed                = "bigint: decisions with a time of their own"
by_link              = "bigint: decisions on the page of a reviewer who came by a mailed link"
by_oidc              = "bigint: decisions on the page of a reviewer who signed in with OpenID Connect"
by_file              = "bigint: decisions in returned files"
in_bulk              = "bigint: decisions to keep that reviewers made for a whole person in one step, as recommended"
median_seconds       = "double: median time between two decisions of a reviewer; null if not known"
longest_run          = "bigint: longest run of equal decisions in a packet; null without decisions"
longest_run_reviewer = "varchar: reviewer with that run; the first by address if several"
self_reviews         = "bigint: decisions on the reviewer's own access, which must be 0"
self_reviews_unknown = "bigint: decisions on accounts whose owner is not known"

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

item_counts as (
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
        count(*) filter (where method = 'link') as by_link,
        count(*) filter (where method = 'oidc') as by_oidc,
        count(*) filter (where method = 'file') as by_file,
        count(*) filter (where is_bulk) as in_bulk,
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

longest_runs as (
    select decisions.campaign, min(decisions.reviewer_email) as reviewer_email
    from graph.review_decisions as decisions
    join item_counts as counts on counts.campaign = decisions.campaign and counts.longest_run = decisions.run_length
    group by decisions.campaign
)

select
    known.campaign,
    known.snapshot_id,
    known.scope,
    known.opened_at,
    known.due_on,
    known.signed_at is null and counts.pending > 0 and coalesce(known.due_on < cast(known.known_at as date), false)
        as is_overdue,
    known.signed_at,
    known.signed_by,
    known.known_at,
    campaigns.snapshot_items,
    campaigns.snapshot_items - counts.items - coalesce(left_out.left_out, 0) as outside_scope,
    coalesce(left_out.left_out, 0) as left_out,
    counts.items,
    counts.kept,
    counts.removed,
    counts.reduced,
    counts.deferred,
    counts.excepted,
    counts.pending,
    counts.high_risk,
    counts.high_risk_pending,
    counts.reviewers,
    campaigns.snapshot_accounts,
    accounts.accounts,
    accounts.accounts_decided,
    counts.items / campaigns.snapshot_items as item_coverage,
    accounts.accounts / campaigns.snapshot_accounts as account_coverage,
    counts.kept / nullif(counts.items - counts.pending, 0) as approval_rate,
    counts.timed,
    counts.by_link,
    counts.by_oidc,
    counts.by_file,
    counts.in_bulk,
    counts.median_seconds,
    counts.longest_run,
    longest_runs.reviewer_email as longest_run_reviewer,
    counts.self_reviews,
    counts.self_reviews_unknown
from graph.review_campaigns as known
join item_counts as counts on counts.campaign = known.campaign
join accounts on accounts.campaign = known.campaign
join review.campaigns as campaigns on campaigns.campaign = known.campaign
left join left_out on left_out.campaign = known.campaign
left join longest_runs on longest_runs.campaign = known.campaign
where known.is_current

/* example
name = "decisions and pending items add up; coverage is of the whole snapshot; a superseded campaign is not listed"
given."graph.review_campaigns" = [
  { campaign = "Q", snapshot_id = "a", scope = "all", due_on = 2025-12-31, opened_at = 2025-12-01T00:00:00Z, known_at = 2026-01-01T00:00:00Z, is_current = true },
  { campaign = "old", snapshot_id = "a", scope = "all", opened_at = 2025-06-01T00:00:00Z, known_at = 2026-01-01T00:00:00Z, is_current = false },
]
given."review.campaigns" = [ { campaign = "Q", snapshot_items = 10, snapshot_accounts = 4 }, { campaign = "old" } ]
given."review.items" = [ { campaign = "Q", item_id = "x", exclusion_reason = "training" } ]
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", source = "s", account_id = "1", reviewer_email = "a", decision = "keep", method = "link", decided_at = 2025-12-02T00:00:00Z, run_length = 2, is_self_review = true, is_high_risk = true, is_current = true },
  { campaign = "Q", item_id = "2", source = "s", account_id = "1", reviewer_email = "a", decision = "keep", method = "oidc", decided_at = 2025-12-02T00:00:09Z, is_bulk = true, seconds_taken = 9.0, run_length = 2, is_self_review = false, is_current = true },
  { campaign = "Q", item_id = "3", source = "s", account_id = "2", reviewer_email = "a", decision = "remove", method = "file", run_length = 1, is_current = true },
  { campaign = "Q", item_id = "4", source = "s", account_id = "2", reviewer_email = "b", decision = "exception", run_length = 1, is_self_review = false, is_current = true },
  { campaign = "Q", item_id = "5", source = "s", account_id = "2", reviewer_email = "b", is_high_risk = true, is_current = true },
  { campaign = "old", item_id = "1", source = "s", account_id = "1", reviewer_email = "a", decision = "keep", is_current = false },
]
expect = [
  { campaign = "Q", is_overdue = true, snapshot_items = 10, outside_scope = 4, left_out = 1, items = 5, kept = 2, removed = 1, reduced = 0, deferred = 0, excepted = 1, pending = 1, high_risk = 2, high_risk_pending = 1, reviewers = 2, snapshot_accounts = 4, accounts = 2, accounts_decided = 1, item_coverage = 0.5, account_coverage = 0.5, approval_rate = 0.5, timed = 2, by_link = 1, by_oidc = 1, by_file = 1, in_bulk = 1, median_seconds = 9.0, longest_run = 2, longest_run_reviewer = "a", self_reviews = 1, self_reviews_unknown = 1 },
]
*/
/* example
name = "unrecorded figures are null, and a campaign is not overdue on its last day"
given."graph.review_campaigns" = [ { campaign = "Q", snapshot_id = "a", scope = "all", due_on = 2026-01-01, opened_at = 2025-12-01T00:00:00Z, known_at = 2026-01-01T12:00:00Z, is_current = true } ]
given."review.campaigns" = [ { campaign = "Q" } ]
given."graph.review_decisions" = [ { campaign = "Q", item_id = "1", source = "s", account_id = "1", reviewer_email = "a", is_current = true } ]
expect = [
  { campaign = "Q", is_overdue = false, snapshot_items = "<null>", outside_scope = "<null>", items = 1, pending = 1, item_coverage = "<null>", account_coverage = "<null>", approval_rate = "<null>", median_seconds = "<null>", longest_run = "<null>", longest_run_reviewer = "<null>", self_reviews = 0 },
]
*/
