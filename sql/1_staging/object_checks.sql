/*
summary = "One completeness check of one list of objects; sources whose objects were not read have none."
reads   = ["meta.sources", "meta.reconciliation"]
grain   = ["source", "list", "check_id"]

[columns]
source      = "varchar: the source's name in the configuration"
list        = "varchar: dashboards, models, row_rules, folders, seats, sign_on, mailed_reports or tenants; empty for the row that says that the source was extracted"
check_id    = "varchar: id of the check; empty for the row that says that the source was extracted"
result      = "varchar: PASS, FAIL or NOT_AVAILABLE"
state       = "varchar: how the list was read, as far as this check shows it: FULL, NOT_AVAILABLE or PARTIAL, the last of these counts; NOT_READ in the row that says that the source was extracted"
explanation = "varchar: explanation of the result; why objects were not read"
*/
select source, object_list(check_id) as list, check_id, result, object_check_state(check_id, result) as state, explanation
from meta.reconciliation
where snapshot_id = $snapshot_id and not is_gate and object_list(check_id) <> ''

union all

select
    source, '', '', 'NOT_AVAILABLE', 'NOT_READ',
    case
        when kind <> 'sisense' then 'A source of this kind has no list of objects.'
        when json_extract_string(settings, '$.objects') = 'false'
            then 'The configuration says that the objects of this source are not read (objects = false).'
        when error is not null then 'The extract of this source failed before its objects were read.'
        else 'The snapshot was made without reading the objects of this source.'
    end
from meta.sources
where snapshot_id = $snapshot_id

/* example
name = "checks belong to the list whose name they begin with; gate checks are about accounts"
given."meta.sources" = [
  { snapshot_id = "example", source = "s", kind = "sisense", settings = '{"objects":"auto"}' },
  { snapshot_id = "example", source = "t", kind = "sisense", settings = '{"objects":"false"}' },
  { snapshot_id = "example", source = "u", kind = "scim" },
]
given."meta.reconciliation" = [
  { snapshot_id = "example", source = "s", check_id = "row_rules_read", result = "PASS", explanation = "Read.", is_gate = false },
  { snapshot_id = "example", source = "s", check_id = "row_rules_stored", result = "FAIL", explanation = "The pages held 2 items, but 1 row is stored.", is_gate = false },
  { snapshot_id = "example", source = "s", check_id = "seats_read", result = "NOT_AVAILABLE", explanation = "Refused.", is_gate = false },
  { snapshot_id = "example", source = "s", check_id = "dashboards_public_read", result = "NOT_AVAILABLE", explanation = "Not known.", is_gate = false },
  { snapshot_id = "example", source = "s", check_id = "groups_end_proven", result = "PASS", explanation = "Read.", is_gate = true },
  { snapshot_id = "example", source = "s", check_id = "seats_agree", result = "FAIL", explanation = "Other counts.", is_gate = false },
  { snapshot_id = "earlier", source = "s", check_id = "models_read", result = "PASS", explanation = "Read.", is_gate = false },
]
expect = [
  { source = "s", list = "row_rules", check_id = "row_rules_read", result = "PASS", state = "FULL", explanation = "Read." },
  { source = "s", list = "row_rules", check_id = "row_rules_stored", result = "FAIL", state = "PARTIAL" },
  { source = "s", list = "seats", check_id = "seats_read", result = "NOT_AVAILABLE", state = "NOT_AVAILABLE" },
  { source = "s", list = "dashboards", check_id = "dashboards_public_read", result = "NOT_AVAILABLE", state = "FULL" },
  { source = "s", list = "", explanation = "The snapshot was made without reading the objects of this source." },
  { source = "t", list = "", explanation = "The configuration says that the objects of this source are not read (objects = false)." },
  { source = "u", list = "", explanation = "A source of this kind has no list of objects." },
]
*/
