/*
title       = "Access review overdue"
summary     = "A source whose last signed-off review of privileged, external or all access is older than the limit or late by the cadence."
severity    = "high"
population  = """
select source.source, scope.scope
from graph.sources as source
cross join (
    select 'privileged' as scope union all select 'all'
    union all
    select scope from policy.cadence where scope = 'external'
) as scope
"""
reads       = [
    "graph.sources", "graph.review_campaigns", "graph.review_decisions", "policy.cadence", "reference.snapshot",
]
grain       = ["source", "scope"]
needs       = "campaign"
remediation = "Open a campaign ('access-review review open', or 'review due --open' with a cadence), and sign it off when it is decided."

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

-- The cadence of the configuration, where it has one, replaces the limit in days.
scopes as (
    select limits.scope, limits.days, cadence.months
    from (select 'privileged' as scope, $privileged_days as days union all select 'all', $all_days) as limits
    left join policy.cadence as cadence on cadence.scope = limits.scope
    union all
    select scope, null, months from policy.cadence where scope = 'external'
),

reviewed_sources as (
    select distinct source, campaign from graph.review_decisions
),

-- A review of all access covers every scope; a review of flagged or changed access covers none.
signed_reviews as (
    select
        reviewed_sources.source, scopes.scope, campaign.signed_at, campaign.opened_at,
        row_number() over (
            partition by reviewed_sources.source, scopes.scope order by campaign.signed_at desc, campaign.campaign desc
        ) as place,
        -- Months since year 0: a review counts for the period in which it was opened, however late it is signed off.
        max(extract(year from campaign.opened_at) * 12 + extract(month from campaign.opened_at) - 1) over (
            partition by reviewed_sources.source, scopes.scope
        ) as opened_month
    from graph.review_campaigns as campaign
    join reviewed_sources on reviewed_sources.campaign = campaign.campaign
    join scopes on campaign.scope in ('all', scopes.scope)
    where campaign.signed_at is not null
),

-- A review may have been signed off between the end of the extract and a later as-of.
moments as (
    select least($as_of, finished_at) as known_at, $as_of as as_of from reference.snapshot
),

limits as (
    select
        source.source, scopes.scope, scopes.days, scopes.months, review.signed_at, review.opened_month,
        moments.known_at, moments.as_of,
        floor((extract(year from moments.known_at) * 12 + extract(month from moments.known_at) - 1) / scopes.months) as known_period,
        floor((extract(year from moments.as_of) * 12 + extract(month from moments.as_of) - 1) / scopes.months) as as_of_period
    from graph.sources as source
    cross join scopes
    cross join moments
    left join signed_reviews as review
        on review.source = source.source and review.scope = scopes.scope and review.place = 1
),

-- By the cadence, a review is late when the period after its own has ended without another one.
verdicts as (
    select
        *,
        case
            when signed_at is null then 'unknown'
            when months is not null then case
                when floor(opened_month / months) < known_period - 1 then 'failed'
                when floor(opened_month / months) < as_of_period - 1 then 'unknown'
            end
            when signed_at < known_at - to_days(cast(days as integer)) then 'failed'
            when signed_at < as_of - to_days(cast(days as integer)) then 'unknown'
        end as verdict,
        case months when 1 then 'month' when 3 then 'quarter' when 12 then 'year' end as period
    from limits
)

select
    source,
    scope,
    verdict,
    'The last signed-off review of ' || scope || ' access was on ' || strftime(signed_at, '%-d %b %Y')
        || case
            when months is null then '.'
            else '. One is due in every ' || period || ', and the last ' || period || ' has none.'
        end as detail,
    'signed off on ' || strftime(signed_at, '%-d %b %Y') as observed_value,
    case when months is null then 'every ' || counted(days, 'day') else 'every ' || period end as threshold
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
/* example
name = "with a cadence, the month before must have a review that was opened in it and is signed off; external access is examined too"
as_of = 2026-01-15T00:00:00Z
given."reference.snapshot" = [ { snapshot_id = "example", build_id = "b", folder = "f", organization = "o", as_of = 2026-01-15T00:00:00Z, started_at = 2026-01-15T00:00:00Z, finished_at = 2026-01-15T00:00:00Z, completeness = "FULL", tool_version = "0" } ]
given."graph.sources" = [ { source = "kept" }, { source = "late" } ]
given."policy.cadence" = [ { scope = "privileged", months = 1 }, { scope = "external", months = 3 } ]
given."graph.review_campaigns" = [
  { campaign = "Dec", scope = "privileged", opened_at = 2025-12-31T23:00:00Z, signed_at = 2026-01-10T00:00:00Z },
  { campaign = "Nov", scope = "privileged", opened_at = 2025-11-30T23:00:00Z, signed_at = 2025-12-31T00:00:00Z },
  { campaign = "Q4", scope = "external", opened_at = 2025-10-01T00:00:00Z, signed_at = 2025-10-02T00:00:00Z },
  { campaign = "Q3", scope = "all", opened_at = 2025-09-30T00:00:00Z, signed_at = 2025-10-02T00:00:00Z },
]
given."graph.review_decisions" = [
  { campaign = "Dec", item_id = "1", source = "kept" }, { campaign = "Q4", item_id = "2", source = "kept" },
  { campaign = "Nov", item_id = "3", source = "late" }, { campaign = "Q3", item_id = "4", source = "late" },
  { campaign = "Q3", item_id = "5", source = "kept" },
]
expect = [
  { source = "late", scope = "privileged", verdict = "failed", threshold = "every month", detail = "The last signed-off review of privileged access was on 31 Dec 2025. One is due in every month, and the last month has none." },
  { source = "late", scope = "external", verdict = "failed", threshold = "every quarter" },
]
population = 6
*/
/* example
name = "a review of the current period counts although the one of the previous period was left out; a later as-of leaves it open"
as_of = 2027-02-01T00:00:00Z
given."reference.snapshot" = [ { snapshot_id = "example", build_id = "b", folder = "f", organization = "o", as_of = 2027-02-01T00:00:00Z, started_at = 2026-12-31T00:00:00Z, finished_at = 2026-12-31T00:00:00Z, completeness = "FULL", tool_version = "0" } ]
given."graph.sources" = [ { source = "s" }, { source = "never" } ]
given."policy.cadence" = [ { scope = "privileged", months = 1 }, { scope = "all", months = 12 } ]
given."graph.review_campaigns" = [ { campaign = "Dec", scope = "all", opened_at = 2026-12-01T00:00:00Z, signed_at = 2026-12-02T00:00:00Z } ]
given."graph.review_decisions" = [ { campaign = "Dec", item_id = "1", source = "s" } ]
expect = [
  { source = "s", scope = "privileged", verdict = "unknown", threshold = "every month" },
  { source = "never", scope = "privileged", verdict = "unknown" }, { source = "never", scope = "all", verdict = "unknown" },
]
population = 4
*/
