/*
summary = "One data model: an extract (ElastiCube) or a live model. If an id came twice, the first record is kept."
reads   = ["raw.models"]
grain   = ["source", "model_id"]

[columns]
source        = "varchar: the source's name in the configuration"
model_id      = "varchar: the source's own id"
title         = "varchar: the title, trimmed; models on several servers may share one"
kind          = "varchar: extract or live"
server        = "varchar: the server of an extract"
creator_id    = "varchar: the account that made it; the source says so for live models only"
created_at    = "timestamp: creation, UTC; null if it cannot be read"
updated_at    = "timestamp: last build or change, UTC; null if it cannot be read"
has_shares    = "boolean: whether it is known with whom it is shared"
has_row_rules = "boolean: its row rules could be read"
*/
with

records as (
    select
        source, page, ordinal, coalesce(json_type(payload, '$.shares') = 'ARRAY', false) as has_shares,
        json_transform(payload, '{
            "_id": "VARCHAR", "oid": "VARCHAR", "title": "VARCHAR", "kind": "VARCHAR", "server": "VARCHAR", "creator": "VARCHAR",
            "createdUtc": "VARCHAR", "lastBuiltUtc": "VARCHAR", "lastUpdated": "VARCHAR", "hasRowRules": "VARCHAR"
        }') as record
    from raw.models
    where snapshot_id = $snapshot_id and is_accepted
)

select
    source,
    coalesce(record._id, record.oid) as model_id,
    trimmed(record.title) as title,
    case record.kind when 'live' then 'live' else 'extract' end as kind,
    trimmed(record.server) as server,
    usable_id(record.creator) as creator_id,
    try_cast(record.createdUtc as timestamptz) at time zone 'UTC' as created_at,
    try_cast(coalesce(record.lastBuiltUtc, record.lastUpdated) as timestamptz) at time zone 'UTC' as updated_at,
    has_shares,
    coalesce(lower(record.hasRowRules) = 'true', false) as has_row_rules
from records
where coalesce(record._id, record.oid) is not null
qualify row_number() over (partition by source, coalesce(record._id, record.oid) order by page, ordinal) = 1

/* example
name = "an extract has a server, a live model a creator; without a list of shares they are not known"
given."raw.models" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"x","title":" Orders ","kind":"extract","server":"localhost","shares":[],"hasRowRules":true,"createdUtc":"2026-01-01T00:00:00Z"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"oid":"l","title":"Live","kind":"live","creator":"a","lastUpdated":"2026-01-02T00:00:00Z","hasRowRules":false}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"_id":"x","title":"again"}' },
]
expect = [
  { model_id = "x", title = "Orders", kind = "extract", server = "localhost", creator_id = "<null>", created_at = 2026-01-01T00:00:00Z, has_shares = true, has_row_rules = true },
  { model_id = "l", title = "Live", kind = "live", server = "<null>", creator_id = "a", updated_at = 2026-01-02T00:00:00Z, has_shares = false, has_row_rules = false },
]
*/
