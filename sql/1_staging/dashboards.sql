/*
summary = "One dashboard of the accepted sweep, as its owner has it. If an id came twice, the first record is kept."
reads   = ["raw.dashboards"]
grain   = ["source", "dashboard_id"]

[columns]
source         = "varchar: the source's name in the configuration"
dashboard_id   = "varchar: the source's own id (oid)"
title          = "varchar: the title, trimmed; several dashboards may share one"
owner_id       = "varchar: the account that owns it"
folder_id      = "varchar: the folder that holds it"
model_title    = "varchar: title of the data model that it shows"
model_server   = "varchar: server of that model, as the dashboard spells it; null for a live model"
model_database = "varchar: the model's database on that server"
model_fullname = "varchar: server and title of the model, or live: and the title"
created_at     = "timestamp: creation, UTC; null if it cannot be read"
updated_at     = "timestamp: last change, UTC; null if it cannot be read"
is_public      = "boolean: anyone with the link can open it without an account; null if not known"
has_shares     = "boolean: whether it is known with whom it is shared"
*/
with

records as (
    select
        source, page, ordinal, coalesce(json_type(payload, '$.shares') = 'ARRAY', false) as has_shares,
        json_transform(payload, '{
            "oid": "VARCHAR", "title": "VARCHAR", "owner": "VARCHAR", "parentFolder": "VARCHAR", "created": "VARCHAR",
            "lastUpdated": "VARCHAR", "isPublic": "VARCHAR",
            "datasource": {"title": "VARCHAR", "address": "VARCHAR", "database": "VARCHAR", "fullname": "VARCHAR"}
        }') as record
    from raw.dashboards
    where snapshot_id = $snapshot_id and is_accepted
)

select
    source,
    record.oid as dashboard_id,
    trimmed(record.title) as title,
    usable_id(record.owner) as owner_id,
    usable_id(record.parentFolder) as folder_id,
    trimmed(record.datasource.title) as model_title,
    trimmed(record.datasource.address) as model_server,
    trimmed(record.datasource.database) as model_database,
    trimmed(record.datasource.fullname) as model_fullname,
    try_cast(record.created as timestamptz) at time zone 'UTC' as created_at,
    try_cast(record.lastUpdated as timestamptz) at time zone 'UTC' as updated_at,
    case lower(record.isPublic) when 'true' then true when 'false' then false end as is_public,
    has_shares
from records
where record.oid is not null
qualify row_number() over (partition by source, record.oid order by page, ordinal) = 1

/* example
name = "what is missing or cannot be read is null; without a list of shares they are not known"
given."raw.dashboards" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"oid":"d","title":" Sales ","owner":"a","parentFolder":"f","shares":[],"isPublic":false,"created":"2026-01-01T12:00:00.000Z","datasource":{"title":"Orders","address":"LocalHost","database":"aOrders","fullname":"LocalHost/Orders"}}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"oid":"e","title":"","owner":{},"datasource":null,"created":"soon","isPublic":"?"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"title":"no id"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 4, is_accepted = true, payload = '{"oid":"d","title":"again"}' },
]
expect = [
  { dashboard_id = "d", title = "Sales", owner_id = "a", folder_id = "f", model_title = "Orders", model_server = "LocalHost", model_database = "aOrders", model_fullname = "LocalHost/Orders", created_at = 2026-01-01T12:00:00Z, is_public = false, has_shares = true },
  { dashboard_id = "e", title = "<null>", owner_id = "<null>", folder_id = "<null>", model_title = "<null>", model_server = "<null>", model_database = "<null>", model_fullname = "<null>", created_at = "<null>", is_public = "<null>", has_shares = false },
]
*/
