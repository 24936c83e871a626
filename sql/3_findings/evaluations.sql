/*
summary = "One rule in one source, and whether a finding that it no longer has there is resolved. A rule about objects has a row for each type."
reads   = [
    "findings.rule_summary", "reference.rules", "reference.snapshot", "graph.sources", "graph.object_lists",
    "graph.rule_inputs",
]
grain   = ["rule_id", "source", "object_type"]

[columns]
rule_id       = "varchar: the rule"
source        = "varchar: the source's name in the configuration; empty for findings about people"
object_type   = "varchar: of a rule about objects: dashboard, model or folder; else empty"
finished_at   = "timestamp: when the extract ended, UTC"
is_conclusive = "boolean: the snapshot is complete and the rule was evaluated, so that a finding it does not have is resolved"
*/
with

-- Without the input that it needs, a rule with an empty population has no result.
evaluated_rules as (
    select
        rules.rule_id, coalesce(header.is_per_object, false) as is_per_object,
        rules.enabled and coalesce(
            rules.passed + rules.failed > 0 or (rules.population = 0 and coalesce(inputs.is_present, true)), false
        ) as is_evaluated
    from findings.rule_summary as rules
    left join reference.rules as header on header.rule_id = rules.rule_id
    left join graph.rule_inputs as inputs on inputs.input = header.needs
),

-- An object that is missing from a list may still be there, unless the list was read to its end.
scopes as (
    select source, '' as object_type, true as is_whole from graph.sources
    union all
    select '', '', true
    union all
    select
        source, case list when 'dashboards' then 'dashboard' when 'models' then 'model' else 'folder' end, state = 'FULL'
    from graph.object_lists
    where list in ('dashboards', 'models', 'folders')
)

select
    rules.rule_id, scopes.source, scopes.object_type, snapshot.finished_at,
    snapshot.completeness = 'FULL' and rules.is_evaluated and scopes.is_whole as is_conclusive
from evaluated_rules as rules
join scopes on (scopes.object_type <> '') = rules.is_per_object
cross join reference.snapshot as snapshot

/* example
name = "a rule that is off, unknown for all or without its input resolves nothing; nor does a rule about objects where their lists are not complete"
given."reference.snapshot" = [ { snapshot_id = "example", as_of = 2026-04-01T00:00:00Z, completeness = "FULL" } ]
given."reference.rules" = [ { rule_id = "objects", needs = "objects", is_per_object = true }, { rule_id = "nobody", needs = "roster" } ]
given."graph.rule_inputs" = [ { input = "roster", is_present = false }, { input = "objects", is_present = true } ]
given."findings.rule_summary" = [
  { rule_id = "passed", enabled = true, population = 2, failed = 0, unknown = 1, passed = 1 },
  { rule_id = "off", enabled = false },
  { rule_id = "blind", enabled = true, population = 2, failed = 0, unknown = 2, passed = 0 },
  { rule_id = "idle", enabled = true, population = 0, failed = 0, unknown = 0, passed = 0 },
  { rule_id = "nobody", enabled = true, population = 0, failed = 0, unknown = 0, passed = 0 },
  { rule_id = "objects", enabled = true, population = 2, failed = 2, unknown = 0, passed = 0 },
]
given."graph.sources" = [ { source = "s" } ]
given."graph.object_lists" = [
  { source = "s", list = "dashboards", state = "FULL" }, { source = "s", list = "tenants", state = "NOT_AVAILABLE" },
  { source = "s", list = "models", state = "PARTIAL" },
]
expect = [
  { rule_id = "passed", source = "s", is_conclusive = true }, { rule_id = "passed", source = "", is_conclusive = true },
  { rule_id = "off", source = "s", is_conclusive = false }, { rule_id = "off", source = "", is_conclusive = false },
  { rule_id = "blind", source = "s", is_conclusive = false }, { rule_id = "blind", source = "", is_conclusive = false },
  { rule_id = "idle", source = "s", is_conclusive = true }, { rule_id = "idle", source = "", is_conclusive = true },
  { rule_id = "nobody", source = "s", is_conclusive = false }, { rule_id = "nobody", source = "", is_conclusive = false },
  { rule_id = "objects", source = "s", object_type = "dashboard", is_conclusive = true },
  { rule_id = "objects", source = "s", object_type = "model", is_conclusive = false },
]
*/
/* example
name = "a partial snapshot resolves nothing"
given."reference.snapshot" = [ { snapshot_id = "example", as_of = 2026-04-01T00:00:00Z, completeness = "PARTIAL" } ]
given."findings.rule_summary" = [ { rule_id = "passed", enabled = true, population = 2, failed = 0, unknown = 1, passed = 1 } ]
expect = [ { rule_id = "passed", source = "", is_conclusive = false } ]
*/
