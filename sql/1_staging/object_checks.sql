/*
summary = "One completeness check of one list of objects; sources whose objects were not read have none."
reads   = ["meta.sources", "meta.reconciliation"]
grain   = ["source", "list", "check_id"]

[columns]
source      = "varchar: the source's name in the configuration"
list        = "varchar: dashboards, models, row_rules, folders, seats, sign_on, mailed_reports or tenants; empty for the row that says that the source was extracted"
check_id    = "varchar: id of the check; empty for the row that says that the source was extracted"
result      = "varchar: PASS, FAIL or NOT_AVAILABLE"
explanation = "varchar: explanation of the result; why objects were not read"
*/
-- The id of a check begins with the name of its list. seats_agree compares counts; it says nothing of how the list was read.
select
    source,
    regexp_extract(
        check_id, '^(dashboards|models|row_rules|folders|seats|sign_on|mailed_reports|tenants)_', 1
    ) as list,
    check_id, result, explanation
from meta.reconciliation
where
    snapshot_id = $snapshot_id and not is_gate
    and regexp_matches(check_id, '^(dashboards|models|row_rules|folders|seats|sign_on|mailed_reports|tenants)_')
    and check_id <> 'seats_agree'

union all

-- One check compares the items of the pages with the stored rows of all lists. It names the lists that lack rows.
select
    source,
    unnest(case resource when 'posture' then ['seats', 'sign_on'] else [replace(resource, ' ', '_')] end),
    check_id, result, explanation
from (
    select
        source, check_id, result, explanation,
        unnest(string_split(regexp_extract(explanation, 'missing of: (.*)\.$', 1), ', ')) as resource
    from meta.reconciliation
    where snapshot_id = $snapshot_id and check_id = 'objects_stored' and result = 'FAIL'
)

union all

select
    source, '', '', 'NOT_AVAILABLE',
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
name = "checks belong to the list whose name they begin with, that of stored rows to the lists that it names; gate checks are about accounts"
given."meta.sources" = [
  { snapshot_id = "example", source = "s", kind = "sisense", settings = '{"objects":"auto"}' },
  { snapshot_id = "example", source = "t", kind = "sisense", settings = '{"objects":"false"}' },
  { snapshot_id = "example", source = "u", kind = "scim" },
]
given."meta.reconciliation" = [
  { snapshot_id = "example", source = "s", check_id = "row_rules_read", result = "PASS", explanation = "Read.", is_gate = false },
  { snapshot_id = "example", source = "s", check_id = "groups_end_proven", result = "PASS", explanation = "Read.", is_gate = true },
  { snapshot_id = "example", source = "s", check_id = "seats_agree", result = "FAIL", explanation = "Other counts.", is_gate = false },
  { snapshot_id = "example", source = "t", check_id = "objects_stored", result = "PASS", explanation = "The pages held 4 items, all stored.", is_gate = false },
  { snapshot_id = "example", source = "u", check_id = "objects_stored", result = "FAIL", explanation = "3 of 9 items are stored; rows are missing of: mailed reports, posture.", is_gate = false },
  { snapshot_id = "earlier", source = "s", check_id = "models_read", result = "PASS", explanation = "Read.", is_gate = false },
]
expect = [
  { source = "s", list = "row_rules", check_id = "row_rules_read", result = "PASS", explanation = "Read." },
  { source = "s", list = "", explanation = "The snapshot was made without reading the objects of this source." },
  { source = "t", list = "", explanation = "The configuration says that the objects of this source are not read (objects = false)." },
  { source = "u", list = "mailed_reports", check_id = "objects_stored", result = "FAIL" },
  { source = "u", list = "seats", check_id = "objects_stored", result = "FAIL" },
  { source = "u", list = "sign_on", check_id = "objects_stored", result = "FAIL" },
  { source = "u", list = "", explanation = "A source of this kind has no list of objects." },
]
*/
