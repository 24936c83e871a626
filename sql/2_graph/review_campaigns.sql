/*
summary = "One review campaign over an earlier snapshot, opened before this extract ended, and its sign-off if there is one."
reads   = ["review.campaigns", "review.sign_offs", "reference.snapshot"]
grain   = ["campaign"]

[columns]
campaign    = "varchar: the name of the review campaign"
snapshot_id = "varchar: the snapshot that the campaign reviews"
scope       = "varchar: all, privileged, external, flagged or changed"
due_on      = "date: the last day for decisions"
opened_at   = "timestamp: when the campaign was opened, UTC"
signed_at   = "timestamp: when the campaign was signed off, UTC; null if not by known_at"
signed_by   = "varchar: the person who signed off; null if not by known_at"
known_at    = "timestamp: the earlier of as-of and the end of the extract, UTC; later events are ignored"
is_current  = "boolean: the campaign is open, or is the last one signed off"
*/
with

snapshot_moment as (
    select snapshot_id, least($as_of, finished_at) as known_at from reference.snapshot
),

-- Decisions arrive after an extract has ended. Only events before its end count, so that one snapshot always gives the
-- same report.
ranked_campaigns as (
    select
        campaigns.campaign, campaigns.snapshot_id, campaigns.scope, campaigns.due_on, campaigns.opened_at,
        sign_offs.signed_at, sign_offs.signed_by, moment.known_at,
        row_number() over (
            partition by sign_offs.signed_at is null order by sign_offs.signed_at desc, campaigns.campaign desc
        ) as place
    from review.campaigns as campaigns
    join snapshot_moment as moment on campaigns.snapshot_id < moment.snapshot_id and campaigns.opened_at <= moment.known_at
    left join review.sign_offs as sign_offs
        on sign_offs.campaign = campaigns.campaign and sign_offs.signed_at <= moment.known_at
)

select
    campaign, snapshot_id, scope, due_on, opened_at, signed_at, signed_by, known_at,
    signed_at is null or place = 1 as is_current
from ranked_campaigns

/* example
name = "a sign-off counts if it came before the extract ended; campaigns over this snapshot or opened later are left out"
given."reference.snapshot" = [ { snapshot_id = "example", build_id = "b", folder = "f", organization = "o", as_of = 2026-01-01T00:00:00Z, started_at = 2026-01-01T00:00:00Z, finished_at = 2026-01-01T00:00:00Z, completeness = "FULL", tool_version = "0" } ]
given."review.campaigns" = [
  { campaign = "old", snapshot_id = "a", scope = "all", opened_at = 2025-01-01T00:00:00Z },
  { campaign = "last", snapshot_id = "b", scope = "all", opened_at = 2025-06-01T00:00:00Z },
  { campaign = "open", snapshot_id = "c", scope = "all", opened_at = 2025-12-01T00:00:00Z },
  { campaign = "later", snapshot_id = "c", scope = "all", opened_at = 2026-01-01T00:00:01Z },
  { campaign = "this", snapshot_id = "example", scope = "all", opened_at = 2025-12-01T00:00:00Z },
]
given."review.sign_offs" = [
  { campaign = "old", signed_at = 2025-02-01T00:00:00Z, signed_by = "Cleo" },
  { campaign = "last", signed_at = 2026-01-01T00:00:00Z, signed_by = "Cleo" },
  { campaign = "open", signed_at = 2026-01-01T00:00:01Z, signed_by = "Cleo" },
]
expect = [
  { campaign = "old", signed_by = "Cleo", is_current = false },
  { campaign = "last", signed_by = "Cleo", is_current = true },
  { campaign = "open", signed_at = "<null>", signed_by = "<null>", is_current = true },
]
*/
/* example
name = "an earlier as-of ignores a later sign-off"
as_of = 2025-07-01T00:00:00Z
given."reference.snapshot" = [ { snapshot_id = "example", build_id = "b", folder = "f", organization = "o", as_of = 2025-07-01T00:00:00Z, started_at = 2026-01-01T00:00:00Z, finished_at = 2026-01-01T00:00:00Z, completeness = "FULL", tool_version = "0" } ]
given."review.campaigns" = [ { campaign = "last", snapshot_id = "b", scope = "all", opened_at = 2025-06-01T00:00:00Z } ]
given."review.sign_offs" = [ { campaign = "last", signed_at = 2025-08-01T00:00:00Z, signed_by = "Cleo" } ]
expect = [ { campaign = "last", signed_at = "<null>", known_at = 2025-07-01T00:00:00Z, is_current = true } ]
*/
