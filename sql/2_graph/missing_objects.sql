/*
summary = "The objects of one type of one source that may be missing, because their list was not read to its end or not at all."
reads   = ["staging.object_checks"]
grain   = ["source", "object_type", "object_id"]

[columns]
source      = "varchar: the source's name in the configuration"
object_type = "varchar: dashboard, model or mailed report"
object_id   = "varchar: always empty: which ones are missing is not known"
*/
select distinct
    source,
    case list when 'dashboards' then 'dashboard' when 'models' then 'model' else 'mailed report' end as object_type,
    '' as object_id
from staging.object_checks
where list in ('dashboards', 'models', 'mailed_reports')
    and state <> 'FULL'
    -- These fail for single objects, and each of those says of itself what could not be read.
    and check_id not in ('dashboards_shares_read', 'dashboards_public_read', 'models_permissions_read')

/* example
name = "a list without its end lacks objects, and one that was refused; objects whose shares could not be read are not missing"
given."staging.object_checks" = [
  { source = "s", list = "dashboards", check_id = "dashboards_read", state = "FULL" },
  { source = "s", list = "dashboards", check_id = "dashboards_end_proven", state = "PARTIAL" },
  { source = "s", list = "dashboards", check_id = "dashboards_ids_present", state = "PARTIAL" },
  { source = "s", list = "models", check_id = "models_read", state = "NOT_AVAILABLE" },
  { source = "s", list = "mailed_reports", check_id = "mailed_reports_recipients_read", state = "PARTIAL" },
  { source = "s", list = "folders", check_id = "folders_end_proven", state = "PARTIAL" },
  { source = "t", list = "dashboards", check_id = "dashboards_shares_read", state = "PARTIAL" },
  { source = "t", list = "models", check_id = "models_read", state = "FULL" },
  { source = "u", list = "", check_id = "", state = "NOT_READ" },
]
expect = [
  { source = "s", object_type = "dashboard", object_id = "" }, { source = "s", object_type = "model", object_id = "" },
  { source = "s", object_type = "mailed report", object_id = "" },
]
*/
