/*
summary = "The requests to one endpoint of one source in one sweep."
reads   = ["meta.pages"]
grain   = ["source", "resource", "endpoint", "sweep"]

[columns]
source           = "varchar: the source's name in the configuration"
resource         = "varchar: users, roles, groups or another kind of call"
endpoint         = "varchar: the address without its query"
parameters       = "varchar: the query; for a value that varied, its range or the number of values"
sweep            = "integer: number of the pass over the list"
requests         = "bigint: number of requests"
items            = "bigint: records in the answers"
bytes            = "bigint: bytes received"
attempts         = "bigint: attempts, including retries"
first_started_at = "timestamp: first request"
last_finished_at = "timestamp: last answer"
*/
with

requests as (
    select *, split_part(url, '?', 1) as endpoint, split_part(url, '?', 2) as query
    from meta.pages
    where snapshot_id = $snapshot_id
),

parameters as (
    select source, resource, endpoint, sweep, unnest(string_split(query, '&')) as parameter from requests where query <> ''
),

pairs as (
    select
        source, resource, endpoint, sweep,
        split_part(parameter, '=', 1) as name,
        substr(parameter, length(split_part(parameter, '=', 1)) + 2) as value
    from parameters
),

-- A value that differs between requests, such as an offset, is shown as its range.
sent_values as (
    select
        source, resource, endpoint, sweep, name,
        case
            when count(distinct value) = 1 then name || '=' || max(value)
            when count(*) = count(number) then name || '=' || min(number) || '..' || max(number)
            else name || '=(' || count(distinct value) || ' values)'
        end as text
    from (select *, try_cast(value as bigint) as number from pairs) as numbered
    group by source, resource, endpoint, sweep, name
),

queries as (
    select source, resource, endpoint, sweep, array_to_string(list_sort(list(text)), ', ') as parameters
    from sent_values
    group by source, resource, endpoint, sweep
),

request_counts as (
    select
        source, resource, endpoint, sweep,
        count(*) as requests,
        cast(sum(items) as bigint) as items,
        cast(sum(bytes) as bigint) as bytes,
        cast(sum(attempts) as bigint) as attempts,
        min(started_at) as first_started_at,
        max(fetched_at) as last_finished_at
    from requests
    group by source, resource, endpoint, sweep
)

select
    counts.source,
    counts.resource,
    counts.endpoint,
    queries.parameters,
    counts.sweep,
    counts.requests,
    counts.items,
    counts.bytes,
    counts.attempts,
    counts.first_started_at,
    counts.last_finished_at
from request_counts as counts
left join queries
    on queries.source = counts.source and queries.resource = counts.resource
    and queries.endpoint = counts.endpoint and queries.sweep = counts.sweep

/* example
name = "a parameter is shown with its value, an offset with its range"
given."meta.pages" = [
  { snapshot_id = "example", source = "s", resource = "users", sweep = 1, page = 1, url = "https://h/users?limit=500&skip=0", status = 200, items = 500, bytes = 10, sha256 = "", started_at = 2026-01-01T00:00:00Z, fetched_at = 2026-01-01T00:00:01Z, elapsed_ms = 1, attempts = 1, is_accepted = true },
  { snapshot_id = "example", source = "s", resource = "users", sweep = 1, page = 2, url = "https://h/users?limit=500&skip=500", status = 200, items = 20, bytes = 10, sha256 = "", started_at = 2026-01-01T00:00:01Z, fetched_at = 2026-01-01T00:00:02Z, elapsed_ms = 1, attempts = 2, is_accepted = true },
  { snapshot_id = "example", source = "s", resource = "roles", sweep = 1, page = 1, url = "https://h/roles", status = 200, items = 9, bytes = 10, sha256 = "", started_at = 2026-01-01T00:00:03Z, fetched_at = 2026-01-01T00:00:04Z, elapsed_ms = 1, attempts = 1, is_accepted = true },
]
expect = [
  { resource = "users", parameters = "limit=500, skip=0..500", requests = 2, items = 520, attempts = 3 },
  { resource = "roles", parameters = "<null>", requests = 1 },
]
*/
