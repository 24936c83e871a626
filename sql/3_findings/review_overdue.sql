/*
title       = "Access review overdue"
summary     = "A source whose last signed-off review, of privileged access or of all access, is older than the limit."
severity    = "high"
population  = """
select source.source, scope.scope
from graph.sources as source
cross join (select 'privileged' as scope union all select 'all') as scope
"""
reads       = ["graph.sources", "graph.review_campaigns", "graph.review_decisions", "reference.snapshot"]
grain       = ["source", "scope"]
needs       = "campaign"
remediation = "Open a campaign ('access-review review open'), and sign it off when it is decided."

[params]
privileged_days = 90
all_days        = 180

[controls]
soc2     = ["CC6.2", "CC6.3"]
iso27001 = ["A.5.18"]
pci      = ["7.2.4"]
nist     = ["AC-2", "AC-6(7)"]
cis      = ["5.1"]
*/
with

scopes as (
    select 'privileged' as scope, $privileged_days as days
    union all
    select 'all', $all_days
),

reviewed_sources as (
    select distinct source, campaign from graph.review_decisions
),

-- A review of all access covers privileged access; a review of flagged or changed access covers neither scope.
last_reviews as (
    select reviewed_sources.source, scopes.scope, max(campaign.signed_at) as signed_at
    from graph.review_campaigns as campaign
    join reviewed_sources on reviewed_sources.campaign = campaign.campaign
    join scopes on campaign.scope in ('all', scopes.scope)
    where campaign.signed_at is not null
    group by reviewed_sources.source, scopes.scope
),

-- A review may have been signed off between the end of the extract and a later as-of.
verdicts as (
    select
        source.source, scopes.scope, scopes.days, last_reviews.signed_at,
        case
            when last_reviews.signed_at is null then 'unknown'
            when last_reviews.signed_at < least($as_of, snapshot.finished_at) - to_days(cast(scopes.days as integer)) then 'failed'
            when last_reviews.signed_at < $as_of - to_days(cast(scopes.days as integer)) then 'unknown'
        end as verdict
    from graph.sources as source
    cross join scopes
    cross join reference.snapshot as snapshot
    left join last_reviews on last_reviews.source = source.source and last_reviews.scope = scopes.scope
)

select
    source,
    scope,
    verdict,
    'The last signed-off review of ' || scope || ' access was on ' || strftime(signed_at, '%-d %b %Y') || '.' as detail,
    'signed off on ' || strftime(signed_at, '%-d %b %Y') as observed_value,
    'every ' || counted(days, 'day') as threshold
from verdicts
where verdict is not null

/* example
name = "older than the limit fails, at the limit passes; a review of all access covers privileged access; other scopes count for neither; no review is unknown"
given."reference.snapshot" = [ { snapshot_id = "example", build_id = "b", folder = "f", organization = "o", as_of = 2026-01-01T00:00:00Z, started_at = 2026-01-01T00:00:00Z, finished_at = 2026-01-01T00:00:00Z, completeness = "FULL", tool_version = "0" } ]
given."graph.sources" = [ { source = "old" }, { source = "exact" }, { source = "both" }, { source = "never" } ]
given."graph.review_campaigns" = [
  { campaign = "91", scope = "all", signed_at = 2025-10-02T23:59:59Z }, { campaign = "90", scope = "privileged", signed_at = 2025-10-03T00:00:00Z },
  { campaign = "181", scope = "all", signed_at = 2025-07-04T23:59:59Z }, { campaign = "flagged", scope = "flagged", signed_at = 2025-12-31T00:00:00Z },
  { campaign = "open", scope = "all" },
]
given."graph.review_decisions" = [
  { campaign = "91", item_id = "1", source = "old" }, { campaign = "90", item_id = "2", source = "exact" },
  { campaign = "181", item_id = "3", source = "both" }, { campaign = "flagged", item_id = "4", source = "both" },
  { campaign = "open", item_id = "5", source = "both" }, { campaign = "open", item_id = "6", source = "never" },
]
expect = [
  { source = "old", scope = "privileged", verdict = "failed", observed_value = "signed off on 2 Oct 2025" },
  { source = "exact", scope = "all", verdict = "unknown" },
  { source = "both", scope = "privileged", verdict = "failed" }, { source = "both", scope = "all", verdict = "failed", threshold = "every 180 days" },
  { source = "never", scope = "privileged", verdict = "unknown" }, { source = "never", scope = "all", verdict = "unknown" },
]
population = 8
*/
/* example
name = "a later as-of leaves it unknown whether a review was signed off since the extract"
as_of = 2026-06-01T00:00:00Z
given."reference.snapshot" = [ { snapshot_id = "example", build_id = "b", folder = "f", organization = "o", as_of = 2026-06-01T00:00:00Z, started_at = 2026-01-01T00:00:00Z, finished_at = 2026-01-01T00:00:00Z, completeness = "FULL", tool_version = "0" } ]
given."graph.sources" = [ { source = "s" } ]
given."graph.review_campaigns" = [ { campaign = "Q", scope = "all", signed_at = 2025-12-01T00:00:00Z } ]
given."graph.review_decisions" = [ { campaign = "Q", item_id = "1", source = "s" } ]
expect = [ { scope = "privileged", verdict = "unknown" }, { scope = "all", verdict = "unknown" } ]
population = 2
*/
