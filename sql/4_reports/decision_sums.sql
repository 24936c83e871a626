/*
summary = "One outcome of the decisions to remove or reduce access in a signed-off review, with its number. The outcomes add up to the decisions."
reads   = ["reports.decision_outcomes", "graph.review_decisions", "graph.review_campaigns"]
grain   = ["campaign", "position", "label"]

[columns]
campaign   = "varchar: the review campaign's name"
signed_at  = "timestamp: when it was signed off, UTC"
is_current = "boolean: it is the last one that was signed off"
decided    = "bigint: its decisions to remove or reduce, which the outcomes add up to"
position   = "integer: 1 done and verified, 2 not yet verified, 3 already gone, 4 a reason for leaving out"
label      = "varchar: the outcome in words"
decisions  = "bigint: number of decisions"
sent       = "bigint: number of those for which a change was sent to the source"

[checks.adds_up]
level = "fail"
sql = """
with

terms as (
    select campaign, max(decided) as decided, sum(decisions) as decisions
    from reports.decision_sums
    group by campaign
),

counted as (
    select campaign, count(*) as decided
    from graph.review_decisions
    where is_signed and decision in ('remove', 'reduce')
    group by campaign
)

select coalesce(counted.campaign, terms.campaign) || ': ' || coalesce(counted.decided, 0) || ' decisions to remove or reduce, and '
    || coalesce(terms.decisions, 0) || ' accounted for' as problem
from counted
full join terms on terms.campaign = counted.campaign
where coalesce(counted.decided, 0) <> coalesce(terms.decisions, 0)
    or coalesce(counted.decided, 0) <> coalesce(terms.decided, 0)
"""
*/
with

decision_counts as (
    select campaign, count(*) as decided
    from graph.review_decisions
    where is_signed and decision in ('remove', 'reduce')
    group by campaign
),

-- The first three outcomes are always listed, even if they are 0.
terms as (
    select * from (values
        (1, 'verified', 'done and verified'), (2, 'unverified', 'not yet verified'), (3, 'gone', 'already gone')
    ) as term(position, outcome, label)
),

outcome_counts as (
    select decision_counts.campaign, terms.position, terms.label, count(outcomes.item_id) as decisions,
        count(outcomes.item_id) filter (where outcomes.is_sent) as sent
    from decision_counts
    cross join terms
    left join reports.decision_outcomes as outcomes
        on outcomes.campaign = decision_counts.campaign and outcomes.outcome = terms.outcome
    group by decision_counts.campaign, terms.position, terms.label
    union all
    select campaign, 4, 'left out: ' || reason, count(*), count(*) filter (where is_sent)
    from reports.decision_outcomes
    where outcome = 'left_out'
    group by campaign, reason
)

select
    outcome_counts.campaign,
    campaign.signed_at,
    campaign.is_current,
    decision_counts.decided,
    cast(outcome_counts.position as integer) as position,
    outcome_counts.label,
    outcome_counts.decisions,
    outcome_counts.sent
from outcome_counts
join decision_counts on decision_counts.campaign = outcome_counts.campaign
join graph.review_campaigns as campaign on campaign.campaign = outcome_counts.campaign

/* example
name = "every decision has one outcome, and each reason for leaving out is an outcome of its own"
given."graph.review_campaigns" = [ { campaign = "Q", is_current = true, signed_at = 2025-12-01T00:00:00Z } ]
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", decision = "remove", is_signed = true }, { campaign = "Q", item_id = "2", decision = "reduce", is_signed = true },
  { campaign = "Q", item_id = "3", decision = "remove", is_signed = true }, { campaign = "Q", item_id = "4", decision = "keep", is_signed = true },
  { campaign = "Q", item_id = "5", decision = "remove", is_signed = true }, { campaign = "open", item_id = "1", decision = "remove", is_signed = false },
]
given."reports.decision_outcomes" = [
  { campaign = "Q", item_id = "1", outcome = "verified", is_sent = true }, { campaign = "Q", item_id = "2", outcome = "unverified", is_sent = true },
  { campaign = "Q", item_id = "3", outcome = "left_out", reason = "it is a service account", is_sent = false },
  { campaign = "Q", item_id = "5", outcome = "left_out", reason = "it is a service account", is_sent = false },
]
expect = [
  { position = 1, label = "done and verified", decided = 4, decisions = 1, sent = 1 },
  { position = 2, label = "not yet verified", decisions = 1, sent = 1 },
  { position = 3, label = "already gone", decisions = 0, sent = 0 },
  { position = 4, label = "left out: it is a service account", decisions = 2, sent = 0 },
]
*/
