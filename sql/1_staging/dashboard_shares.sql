/*
summary = "One account or group that a dashboard is shared with."
reads   = ["raw.dashboards"]
grain   = ["source", "dashboard_id", "party_type", "party_id"]

[columns]
source        = "varchar: the source's name in the configuration"
dashboard_id  = "varchar: the dashboard"
party_type    = "varchar: user, group or unknown"
party_id      = "varchar: the account or group; it may not exist"
rule          = "varchar: edit or view, edit if both are listed; null for the owner's own share, and if the source does not say"
is_subscribed = "boolean: the party gets the dashboard by mail; null if not known"
*/
with

shares as (
    select
        source, payload ->> '$.oid' as dashboard_id,
        unnest(json_transform(
            payload, '{"shares": [{"shareId": "VARCHAR", "type": "VARCHAR", "rule": "VARCHAR", "subscribe": "VARCHAR"}]}'
        ).shares) as share
    from raw.dashboards
    where snapshot_id = $snapshot_id and is_accepted
)

select
    source,
    dashboard_id,
    case when lower(share.type) in ('user', 'group') then lower(share.type) else 'unknown' end as party_type,
    usable_id(share.shareId) as party_id,
    min(lower(share.rule)) filter (where lower(share.rule) in ('view', 'edit')) as rule,
    bool_or(case lower(share.subscribe) when 'true' then true when 'false' then false end) as is_subscribed
from shares
where dashboard_id is not null and usable_id(share.shareId) is not null
group by 1, 2, 3, 4

/* example
name = "the owner's own share has no rule; other types are unknown; the stronger of two shares with one party counts"
given."raw.dashboards" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"oid":"d","shares":[{"shareId":"a","type":"user","subscribe":true},{"shareId":"g","type":"group","rule":"VIEW"},{"shareId":"x","type":"team","rule":"own"},{"shareId":"g","type":"group","rule":"edit","subscribe":false},{"type":"user"}]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"oid":"e"}' },
]
expect = [
  { dashboard_id = "d", party_type = "user", party_id = "a", rule = "<null>", is_subscribed = true },
  { dashboard_id = "d", party_type = "group", party_id = "g", rule = "edit", is_subscribed = false },
  { dashboard_id = "d", party_type = "unknown", party_id = "x", rule = "<null>", is_subscribed = "<null>" },
]
*/
