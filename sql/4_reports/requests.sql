/*
summary = "One endpoint of one source as it was read in one sweep: how often, how much, and when."
reads   = ["meta.pages"]
grain   = ["source", "resource", "endpoint", "sweep"]

[columns]
source           = "varchar: the source's name in the configuration"
resource         = "varchar: users, roles, groups, or one of the calls around them"
endpoint         = "varchar: the address without its query"
parameters       = "varchar: the query that was sent; where a value varied, its smallest and largest as numbers or how many there were"
sweep            = "integer: which pass over the list"
requests         = "bigint: requests answered"
items            = "bigint: records in the answers"
bytes            = "bigint: bytes received"
attempts         = "bigint: tries, repeated ones included"
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

-- An offset is another in every request: its ends say more than its values.
values_sent as (
    select
        source, resource, endpoint, sweep, name,
        case
            when count(distinct value) = 1 then name || '=' || max(value)
            when count(*) = count(try_cast(value as bigint))
                then name || '=' || min(try_cast(value as bigint)) || '..' || max(try_cast(value as bigint))
            else name || '=(' || count(distinct value) || ' values)'
        end as said
    from pairs
    group by source, resource, endpoint, sweep, name
),

queries as (
    select source, resource, endpoint, sweep, array_to_string(list_sort(list(said)), ', ') as parameters
    from values_sent
    group by source, resource, endpoint, sweep
),

counted as (
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
    counted.source,
    counted.resource,
    counted.endpoint,
    queries.parameters,
    counted.sweep,
    counted.requests,
    counted.items,
    counted.bytes,
    counted.attempts,
    counted.first_started_at,
    counted.last_finished_at
from counted
left join queries
    on queries.source = counted.source and queries.resource = counted.resource
    and queries.endpoint = counted.endpoint and queries.sweep = counted.sweep
order by counted.source, counted.first_started_at, counted.resource, counted.endpoint, counted.sweep

/* example
name = "a parameter with one value is shown with it, an offset with its ends"
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
