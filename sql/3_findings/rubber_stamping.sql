/*
title       = "Review decided without looking"
summary     = "A reviewer who kept nearly everything within seconds, or gave the same answer to a long row of items."
severity    = "medium"
population  = """
select distinct '' as source, campaign, 'reviewer' as subject_type, reviewer_email as subject_id
from graph.review_decisions where is_current
"""
reads       = ["graph.review_decisions"]
grain       = ["source", "campaign", "subject_type", "subject_id"]
remediation = "Ask the reviewer how they decided, and put a sample of the items to somebody else."

[params]
kept_share     = 0.95
median_seconds = 10
min_items      = 20
max_run        = 50

[controls]
soc2     = ["CC6.3", "CC4.1"]
iso27001 = ["A.5.18"]
nist     = ["AC-2"]
*/
with

paces as (
    select
        campaign, reviewer_email, count(*) as item_count, count(decision) as decided_count,
        count(*) filter (where decision = 'keep') as kept_count,
        count(decided_at) as timed_count, median(seconds_taken) as median_pause, max(run_length) as longest_run
    from graph.review_decisions
    where is_current
    group by campaign, reviewer_email
),

judged as (
    select
        * replace (coalesce(longest_run, 0) as longest_run),
        case
            when longest_run >= $max_run then 'failed'
            when decided_count >= $min_items and kept_count >= $kept_share * decided_count
                and timed_count >= $min_items and median_pause < $median_seconds then 'failed'
            when decided_count < item_count then 'unknown'
            -- how long a decision took is not known
            when decided_count >= $min_items and kept_count >= $kept_share * decided_count
                and timed_count < $min_items then 'unknown'
        end as verdict
    from paces
)

-- A reviewer decides for all sources.
select
    '' as source,
    campaign,
    'reviewer' as subject_type,
    reviewer_email as subject_id,
    verdict,
    'Review ' || campaign || ': ' || kept_count || ' of ' || decided_count || ' decided items were kept, ' || longest_run
        || ' of the same decision in a row'
        || case when median_pause is not null
            then ', ' || round(median_pause, 1) || ' s for a decision in the median.' else '.' end as detail,
    longest_run || ' in a row; '
        || case when median_pause is null then 'time not known' else round(median_pause, 1) || ' s' end as observed_value,
    'under ' || $max_run || ' in a row; at least ' || $median_seconds || ' s where ' || round(100 * $kept_share)
        || ' % of ' || $min_items || ' or more are kept' as threshold
from judged
where verdict is not null

/* example
name = "a run of three where three are too many fails; one that is broken passes; while items are open it is unknown"
params = { max_run = 3, min_items = 9 }
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", reviewer_email = "run", place = 1, decision = "remove", run_length = 1, is_current = true },
  { campaign = "Q", item_id = "2", reviewer_email = "run", place = 2, decision = "keep", run_length = 3, is_current = true },
  { campaign = "Q", item_id = "3", reviewer_email = "run", place = 3, decision = "keep", run_length = 3, is_current = true },
  { campaign = "Q", item_id = "4", reviewer_email = "run", place = 4, decision = "keep", run_length = 3, is_current = true },
  { campaign = "Q", item_id = "5", reviewer_email = "two", place = 1, decision = "keep", run_length = 2, is_current = true },
  { campaign = "Q", item_id = "6", reviewer_email = "two", place = 2, decision = "keep", run_length = 2, is_current = true },
  { campaign = "Q", item_id = "7", reviewer_email = "two", place = 3, decision = "remove", run_length = 1, is_current = true },
  { campaign = "Q", item_id = "8", reviewer_email = "two", place = 4, decision = "keep", run_length = 1, is_current = true },
  { campaign = "Q", item_id = "9", reviewer_email = "open", place = 1, decision = "keep", run_length = 1, is_current = true },
  { campaign = "Q", item_id = "a", reviewer_email = "open", place = 2, is_current = true },
  { campaign = "old", item_id = "1", reviewer_email = "run", place = 1, decision = "keep", is_current = false },
]
expect = [ { subject_id = "run", verdict = "failed" }, { subject_id = "open", verdict = "unknown" } ]
population = 3
*/
/* example
name = "nearly all kept with 9 s in the median fails, with 10 s passes; nobody knows how long it took: unknown; others decided otherwise: passes"
params = { min_items = 2, kept_share = 0.95 }
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", reviewer_email = "fast", place = 1, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_current = true },
  { campaign = "Q", item_id = "2", reviewer_email = "fast", place = 2, decision = "keep", decided_at = 2026-01-01T00:00:09Z, seconds_taken = 9.0, is_current = true },
  { campaign = "Q", item_id = "3", reviewer_email = "slow", place = 1, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_current = true },
  { campaign = "Q", item_id = "4", reviewer_email = "slow", place = 2, decision = "keep", decided_at = 2026-01-01T00:00:10Z, seconds_taken = 10.0, is_current = true },
  { campaign = "Q", item_id = "5", reviewer_email = "untimed", place = 1, decision = "keep", is_current = true },
  { campaign = "Q", item_id = "6", reviewer_email = "untimed", place = 2, decision = "keep", is_current = true },
  { campaign = "Q", item_id = "7", reviewer_email = "thinks", place = 1, decision = "keep", is_current = true },
  { campaign = "Q", item_id = "8", reviewer_email = "thinks", place = 2, decision = "remove", is_current = true },
  { campaign = "Q", item_id = "9", reviewer_email = "few", place = 1, decision = "keep", is_current = true },
]
expect = [ { subject_id = "fast", verdict = "failed" }, { subject_id = "untimed", verdict = "unknown" } ]
population = 5
*/
