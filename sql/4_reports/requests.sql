/*
summary = "One endpoint of one source as it was read in one sweep: how often, how much, and when."
reads   = ["meta.pages"]
grain   = ["source", "resource", "endpoint", "sweep"]

[columns]
source           = "varchar: the source's name in the configuration"
resource         = "varchar: users, roles, groups, or one of the calls around them"
endpoint         = "varchar: the address without its query"
parameters       = "varchar: the query keys that were sent"
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
    select
        *, split_part(url, '?', 1) as endpoint,
        array_to_string(list_sort(regexp_extract_all(split_part(url, '?', 2), '(^|&)([^=&]+)=', 2)), ', ') as keys
    from meta.pages
    where snapshot_id = $snapshot_id
)

select
    source,
    resource,
    endpoint,
    max(keys) as parameters,
    sweep,
    count(*) as requests,
    cast(sum(items) as bigint) as items,
    cast(sum(bytes) as bigint) as bytes,
    cast(sum(attempts) as bigint) as attempts,
    min(started_at) as first_started_at,
    max(fetched_at) as last_finished_at
from requests
group by source, resource, endpoint, sweep
order by source, first_started_at, resource, endpoint, sweep
