/*
summary = "One dashboard in one report that the source sends by mail."
reads   = ["raw.mailed_reports"]
grain   = ["source", "mailed_report_id", "dashboard_id"]

[columns]
source           = "varchar: the source's name in the configuration"
mailed_report_id = "varchar: the source's own id of the report"
dashboard_id     = "varchar: a dashboard that it contains; empty if the source does not say"
is_enabled       = "boolean: the report is sent; null if not known"
*/
with

records as (
    select
        source,
        payload ->> '$._id' as mailed_report_id,
        case lower(payload ->> '$.enabled') when 'true' then true when 'false' then false end as is_enabled,
        coalesce(nullif(json_transform(payload, '{"dashboards": ["VARCHAR"]}').dashboards, []), ['']) as dashboard_ids
    from raw.mailed_reports
    where snapshot_id = $snapshot_id and is_accepted
),

dashboards as (
    select source, mailed_report_id, is_enabled, coalesce(unnest(dashboard_ids), '') as dashboard_id from records
)

select source, mailed_report_id, dashboard_id, bool_or(is_enabled) as is_enabled
from dashboards
where mailed_report_id is not null
group by source, mailed_report_id, dashboard_id

/* example
name = "a report with two dashboards is two rows; without any it is one row with an empty id"
given."raw.mailed_reports" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"1","enabled":true,"dashboards":["d","e","d"]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"_id":"2","enabled":"?","dashboards":[]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"enabled":true}' },
]
expect = [
  { mailed_report_id = "1", dashboard_id = "d", is_enabled = true },
  { mailed_report_id = "1", dashboard_id = "e", is_enabled = true },
  { mailed_report_id = "2", dashboard_id = "", is_enabled = "<null>" },
]
*/
