/*
title       = "Uniform decisions"
summary     = "A reviewer who kept nearly all access that has a finding or a recommendation against it, within seconds each or in one long run."
severity    = "medium"
population  = """
select distinct '' as source, campaign, 'reviewer' as subject_type, reviewer_email as subject_id
from graph.review_decisions where is_current
"""
reads       = ["graph.review_decisions"]
grain       = ["source", "campaign", "subject_type", "subject_id"]
needs       = "campaign"
remediation = "Ask the reviewer how they decided, and give a sample of the items to another reviewer."

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

reviewers as (
    select
        campaign, reviewer_email, count(*) filter (where decision is null) as pending_count,
        count(decided_at) as any_timed_count
    from graph.review_decisions
    where is_current
    group by campaign, reviewer_email
),

-- Only items with a finding or a recommendation against them count: keeping the others quickly is normal. Accepting the
-- recommendations for a person in one step is deliberate, possible only where each of them is to keep, and on record.
questioned_items as (
    select
        campaign, reviewer_email, decision, decided_at, seconds_taken,
        row_number() over (partition by campaign, reviewer_email order by place, item_id) as number,
        row_number() over (partition by campaign, reviewer_email, decision order by place, item_id) as number_of_decision
    from graph.review_decisions
    where is_current and is_questioned and decision is not null and is_bulk is distinct from true
),

-- Consecutive items with the same decision share the difference of both numbers.
kept_runs as (
    select campaign, reviewer_email, number - number_of_decision as run, count(*) as run_length
    from questioned_items
    where decision = 'keep'
    group by campaign, reviewer_email, number - number_of_decision
),

longest_runs as (
    select campaign, reviewer_email, max(run_length) as longest_run
    from kept_runs
    group by campaign, reviewer_email
),

paces as (
    select
        campaign, reviewer_email, count(*) as decided_count, count(*) filter (where decision = 'keep') as kept_count,
        count(decided_at) as timed_count, median(seconds_taken) as median_pause
    from questioned_items
    group by campaign, reviewer_email
),

reviewer_statistics as (
    select
        reviewers.campaign, reviewers.reviewer_email, reviewers.pending_count, reviewers.any_timed_count,
        coalesce(paces.decided_count, 0) as decided_count, coalesce(paces.kept_count, 0) as kept_count,
        coalesce(paces.timed_count, 0) as timed_count, paces.median_pause,
        coalesce(longest_runs.longest_run, 0) as longest_run
    from reviewers
    left join paces on paces.campaign = reviewers.campaign and paces.reviewer_email = reviewers.reviewer_email
    left join longest_runs
        on longest_runs.campaign = reviewers.campaign and longest_runs.reviewer_email = reviewers.reviewer_email
),

verdicts as (
    select
        *,
        case
            -- Without times, uniform decisions may still be careful ones.
            when any_timed_count = 0 or timed_count < least(decided_count, $min_items) then 'unknown'
            when longest_run >= $max_run then 'failed'
            when decided_count >= $min_items and kept_count >= $kept_share * decided_count
                and median_pause < $median_seconds then 'failed'
            when pending_count > 0 then 'unknown'
        end as verdict
    from reviewer_statistics
)

-- A reviewer decides for all sources, so the source is empty.
select
    '' as source,
    campaign,
    'reviewer' as subject_type,
    reviewer_email as subject_id,
    verdict,
    'Review ' || campaign || ': ' || kept_count || ' of ' || decided_count
        || ' questioned items were kept, ' || longest_run || ' of them in a row'
        || case when median_pause is null then '.'
            else ', ' || round(median_pause, 1) || ' s per decision (median).' end as detail,
    kept_count || ' of ' || decided_count || ' kept; ' || longest_run || ' in a row; '
        || case when median_pause is null then 'pace not known' else round(median_pause, 1) || ' s' end as observed_value,
    'under ' || $max_run || ' kept in a row; at least ' || $median_seconds || ' s where ' || round(100 * $kept_share)
        || ' % of ' || $min_items || ' or more are kept' as threshold
from verdicts
where verdict is not null

/* example
name = "three questioned items kept in a row fail at a limit of three; a removal between them, or items without questions, pass; undecided is unknown"
params = { max_run = 3, min_items = 9 }
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", reviewer_email = "run", place = 1, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "2", reviewer_email = "run", place = 2, decision = "keep", decided_at = 2026-01-01T00:01:00Z, seconds_taken = 60.0, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "2b", reviewer_email = "run", place = 3, decision = "remove", decided_at = 2026-01-01T00:01:00Z, is_questioned = false, is_current = true },
  { campaign = "Q", item_id = "3", reviewer_email = "run", place = 4, decision = "keep", decided_at = 2026-01-01T00:02:00Z, seconds_taken = 60.0, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "4", reviewer_email = "broken", place = 1, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "5", reviewer_email = "broken", place = 2, decision = "keep", decided_at = 2026-01-01T00:01:00Z, seconds_taken = 60.0, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "6", reviewer_email = "broken", place = 3, decision = "remove", decided_at = 2026-01-01T00:02:00Z, seconds_taken = 60.0, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "7", reviewer_email = "broken", place = 4, decision = "keep", decided_at = 2026-01-01T00:03:00Z, seconds_taken = 60.0, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "8", reviewer_email = "harmless", place = 1, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_questioned = false, is_current = true },
  { campaign = "Q", item_id = "9", reviewer_email = "harmless", place = 2, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_questioned = false, is_current = true },
  { campaign = "Q", item_id = "a", reviewer_email = "harmless", place = 3, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_questioned = false, is_current = true },
  { campaign = "Q", item_id = "b", reviewer_email = "removes", place = 1, decision = "remove", decided_at = 2026-01-01T00:00:00Z, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "c", reviewer_email = "removes", place = 2, decision = "remove", decided_at = 2026-01-01T00:00:01Z, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "d", reviewer_email = "removes", place = 3, decision = "remove", decided_at = 2026-01-01T00:00:02Z, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "e", reviewer_email = "open", place = 1, decision = "keep", decided_at = 2026-01-01T00:00:02Z, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "f", reviewer_email = "open", place = 2, is_questioned = true, is_current = true },
  { campaign = "old", item_id = "1", reviewer_email = "run", place = 1, decision = "keep", is_questioned = true, is_current = false },
]
expect = [
  { subject_id = "run", verdict = "failed", observed_value = "3 of 3 kept; 3 in a row; 60.0 s" },
  { subject_id = "open", verdict = "unknown" },
]
population = 5
*/
/* example
name = "nearly all kept at a median of 9 s fails, at 10 s passes; without times even a long run is unknown; some removed passes"
params = { min_items = 2, max_run = 2, kept_share = 0.95 }
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", reviewer_email = "fast", place = 1, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "1b", reviewer_email = "fast", place = 2, decision = "keep", decided_at = 2026-01-01T00:00:09Z, seconds_taken = 9.0, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "3", reviewer_email = "untimed", place = 1, decision = "keep", is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "4", reviewer_email = "untimed", place = 2, decision = "keep", is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "5", reviewer_email = "untimed", place = 3, decision = "keep", is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "6", reviewer_email = "removes one", place = 1, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "7", reviewer_email = "removes one", place = 2, decision = "remove", decided_at = 2026-01-01T00:00:01Z, seconds_taken = 1.0, is_questioned = true, is_current = true },
]
expect = [ { subject_id = "fast", verdict = "failed" }, { subject_id = "untimed", verdict = "unknown" } ]
population = 3
*/
/* example
name = "a median of ten seconds, or fewer items than the minimum, passes"
params = { min_items = 2, max_run = 9 }
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", reviewer_email = "slow", place = 1, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "2", reviewer_email = "slow", place = 2, decision = "keep", decided_at = 2026-01-01T00:00:10Z, seconds_taken = 10.0, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "3", reviewer_email = "few", place = 1, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_questioned = true, is_current = true },
]
expect = []
population = 2
*/
/* example
name = "recommendations accepted in one step do not count; the questioned items decided one by one do"
params = { min_items = 2, max_run = 2 }
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", reviewer_email = "bulk", place = 1, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_bulk = true, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "2", reviewer_email = "bulk", place = 2, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_bulk = true, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "3", reviewer_email = "both", place = 1, decision = "keep", decided_at = 2026-01-01T00:00:00Z, is_bulk = true, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "4", reviewer_email = "both", place = 2, decision = "keep", decided_at = 2026-01-01T00:00:01Z, seconds_taken = 1.0, is_bulk = false, is_questioned = true, is_current = true },
  { campaign = "Q", item_id = "5", reviewer_email = "both", place = 3, decision = "keep", decided_at = 2026-01-01T00:00:02Z, seconds_taken = 1.0, is_bulk = false, is_questioned = true, is_current = true },
]
expect = [ { subject_id = "both", verdict = "failed", observed_value = "2 of 2 kept; 2 in a row; 1.0 s" } ]
population = 2
*/
