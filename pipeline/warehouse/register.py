"""The union of all rules: failed rows, counts, and the subjects of earlier findings that are unknown now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from pipeline.errors import ModelError
from pipeline.warehouse import checks, database
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import Model
from pipeline.warehouse.rules import RuleInForce
from pipeline.wording import counted

__all__ = ["fill", "subject"]

#: What a rule may return beside its grain and verdict.
_OPTIONAL = ("severity", "account_id", "detail", "observed_value", "threshold", "evidence")
#: What a finding is about: the first of these that its grain has, with its type in SQL, else the source itself.
_SUBJECTS = (
    ("subject_id", "result.subject_type"),
    ("object_id", "'object'"),
    ("account_id", "'account'"),
    ("person_id", "'person'"),
    ("group_id", "'group'"),
    ("role_id", "'role'"),
)


def fill(
    connection: Connection,
    rules: Sequence[RuleInForce],
    values: Callable[[Model], Mapping[str, object]],
    *,
    snapshot_id: str,
    kept: Collection[str],
) -> None:
    """Unite the rules, whose tables ``findings.<rule_id>`` have been built; ``values`` gives what a model may bind.

    ``kept`` are the ids of the rules whose rows and counts are those of the build before.

    Raises:
        ModelError: a rule returns rows outside its population, an unknown verdict or an unknown severity, or its
            population has missing or repeated keys.
    """
    rows = connection.execute("select rule_id, population, failed, unknown, passed from findings.rule_summary")
    counts_before: dict[str, _Counts] = {
        rule_id: (size, failed, unknown, passed) for rule_id, size, failed, unknown, passed in rows.fetchall()
    }
    connection.execute("delete from findings.rule_summary; delete from findings.unknown_subjects")
    if kept:
        connection.execute("delete from findings.failed where not list_contains($kept, rule_id)", {"kept": [*kept]})
    else:
        connection.execute("delete from findings.failed")
    enabled = [rule for rule in rules if rule.is_enabled]
    made = [rule for rule in enabled if rule.model.name not in kept]
    counts = counts_before | _counts_of_all(connection, [rule.model for rule in made], values)
    unevaluated = (None, None, None, None)
    database.insert(
        connection,
        "findings.rule_summary",
        [_summary(rule, counts[rule.model.name] if rule.is_enabled else unevaluated) for rule in rules],
    )
    if made:
        _add_findings(connection, made)
    _add_unknown_subjects(connection, enabled, snapshot_id)
    _refuse_severities(connection, enabled)


#: The size of a population, and how many of its members failed, are unknown and passed; null for a disabled rule.
_Counts = tuple[int | None, int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A rule whose rows are compared with its population: the values that this binds, and its columns.

    Populations with the same ``signature`` have the same members.
    """

    model: Model
    bound: Mapping[str, object]
    signature: str
    keys: list[str]


def _counts_of_all(
    connection: Connection, models: Sequence[Model], values: Callable[[Model], Mapping[str, object]]
) -> dict[str, _Counts]:
    """Compare the rows of rules with their populations; return the counts by rule."""
    shapes: dict[str, list[str]] = {}  # populations that several rules share are checked once
    asked = []
    for model in models:
        bound = checks.bound(connection, model.population, dict(values(model)))
        signature = repr((model.population, bound))
        if signature not in shapes:
            shapes[signature] = _columns(connection, model, bound)
        asked.append(_Asked(model, bound, signature, shapes[signature]))
        _refuse_other_keys(asked[-1])
    verdicts = _verdicts(connection, asked)
    sizes: dict[str, int] = {}
    return {
        one.model.name: _counts(connection, one, verdict, sizes) for one, verdict in zip(asked, verdicts, strict=True)
    }


def _refuse_other_keys(asked: _Asked) -> None:
    if not set(asked.keys) <= set(asked.model.grain):
        raise ModelError(
            f"the population of {asked.model.name} has columns that are not in its grain: {asked.keys}",
            where=str(asked.model.path),
            hint="select only columns of the grain",
        )


def _counts(connection: Connection, asked: _Asked, verdicts: tuple[int, int, int], sizes: dict[str, int]) -> _Counts:
    """Compare a rule's rows with its population; return how many are in it, failed, are unknown and passed.

    ``sizes`` are those of the populations that have been checked, by their signatures.
    """
    model, (evaluated, failed, wrong) = asked.model, verdicts
    _refuse(model, wrong, "gives verdicts other than 'failed' and 'unknown'")
    earlier = sizes.get(asked.signature)
    try:
        size, repeated, found = (
            (earlier, 0, 0)
            if earlier is not None and not evaluated
            else _population(connection, asked, evaluated, earlier is not None)
        )
    except duckdb.Error as error:
        raise _does_not_run(model, error) from error
    _refuse(model, repeated, "has a population with missing or repeated keys")
    sizes[asked.signature] = size
    _refuse(model, evaluated - found, "returns rows that are not in its population")
    return size, failed, evaluated - failed, size - evaluated


def _does_not_run(model: Model, error: duckdb.Error) -> ModelError:
    return ModelError(
        f"the population of {model.name} does not run: {error}", where=str(model.path), hint="correct it"
    )


def _columns(connection: Connection, model: Model, bound: Mapping[str, object]) -> list[str]:
    try:
        shape = connection.execute(f"select * from ({model.population}\n) limit 0", dict(bound))
    except duckdb.Error as error:
        raise _does_not_run(model, error) from error
    return [column[0] for column in shape.description]


def _verdicts(connection: Connection, asked: Sequence[_Asked]) -> list[tuple[int, int, int]]:
    """Return for each rule how many members of its population it returns, how many fail, and the wrong verdicts."""
    selects = (
        f"select {position} as rule, count(*), count(*) filter (where has_failed), coalesce(sum(wrong), 0) "
        f"from {_members(one.model, one.keys)}"
        for position, one in enumerate(asked)
    )
    try:
        rows = connection.execute(f"from ({' union all '.join(selects)}) order by rule").fetchall() if asked else []
    except duckdb.Error as error:
        paths = ", ".join(str(one.model.path) for one in asked)
        raise ModelError(
            f"the verdicts of the rules cannot be counted: {error}", where=paths, hint="correct it"
        ) from error
    return [(int(evaluated), int(failed), int(wrong)) for _, evaluated, failed, wrong in rows]


def _members(model: Model, keys: list[str]) -> str:
    wrong = "verdict is null or verdict not in ('failed', 'unknown')"
    listed = ", ".join(keys)
    if set(keys) == set(model.grain):  # the grain has been checked: one row is one member
        return f"""(
            select {listed}, verdict = 'failed' as has_failed, cast({wrong} as integer) as wrong from {model.table}
        )"""
    return f"""(
        select {listed}, bool_or(verdict = 'failed') as has_failed, count(*) filter (where {wrong}) as wrong
        from {model.table} group by {listed}
    )"""


def _population(connection: Connection, asked: _Asked, evaluated: int, is_sound: bool) -> tuple[int, int, int]:
    """Return the population's size, its missing or repeated keys, and how many members the rule returns."""
    model, keys = asked.model, asked.keys
    missing = " or ".join(f"population.{key} is null" for key in keys)
    copies = "1 as copies" if is_sound else "count(*) as copies"
    grouped = "" if is_sound else "group by all"
    population = f"(select {', '.join(keys)}, {copies} from ({model.population}\n) as listed {grouped})"
    on = " and ".join(f"members.{key} = population.{key}" for key in keys)
    joined = f"left join {_members(model, keys)} as members on {on}" if evaluated else ""
    found = "count(members.has_failed)" if evaluated else "0"
    row = connection.execute(
        f"""
        select coalesce(sum(copies), 0), count(*) filter (where copies > 1 or {missing}), {found}
        from {population} as population {joined}
        """,
        dict(asked.bound),
    ).fetchone()
    size, repeated, known = row or (0, 0, 0)
    return int(size), int(repeated), int(known)


def _refuse(model: Model, rows: int, what: str) -> None:
    if rows:
        raise ModelError(
            f"the rule {model.name} {what} ({counted(rows, 'row')})",
            where=str(model.path),
            hint="correct the statement or the population",
        )


def _refuse_severities(connection: Connection, rules: Sequence[RuleInForce]) -> None:
    wrong = connection.execute(
        "select rule_id, count(*) from findings.failed"
        " where severity not in (select severity from reference.severities) group by rule_id order by rule_id"
    ).fetchall()
    models = {rule.model.name: rule.model for rule in rules}
    for rule_id, rows in wrong:
        _refuse(models[rule_id], rows, "gives unknown severities")


def _add_findings(connection: Connection, rules: Sequence[RuleInForce]) -> None:
    """Fill ``findings.failed`` in one statement."""
    values = {f"rule_{position}": rule.model.name for position, rule in enumerate(rules)}
    columns = _columns_of_rules(connection)
    failed = [_failed(rule, f"rule_{position}", columns[rule.model.table]) for position, rule in enumerate(rules)]
    try:
        connection.execute(f"insert into findings.failed by name {' union all '.join(failed)}", values)
    except duckdb.Error as error:
        raise _misfit(connection, rules, failed, error) from error


def _add_unknown_subjects(connection: Connection, rules: Sequence[RuleInForce], snapshot_id: str) -> None:
    """Fill ``findings.unknown_subjects`` with those that earlier snapshots know; a first build has none."""
    known = connection.execute(
        "select distinct rule_id from history.register where snapshot_id < $id", {"id": snapshot_id}
    ).fetchall()
    models = [rule.model for rule in rules if (rule.model.name,) in known]
    if not models:
        return
    values = {f"rule_{position}": model.name for position, model in enumerate(models)}
    unknown = " union all ".join(_unknown(model, f"rule_{position}") for position, model in enumerate(models))
    connection.execute(
        f"""
        insert into findings.unknown_subjects by name
        select distinct * from ({unknown}) as subjects
        where (rule_id, source, subject_id) in (
            select (rule_id, coalesce(source, ''), subject_id) from history.register where snapshot_id < $snapshot_id
        )
        """,
        values | {"snapshot_id": snapshot_id},
    )


def _unknown(model: Model, parameter: str) -> str:
    key, subject_type = subject(model)
    return f"""
            select ${parameter} as rule_id, {_source(model)} as source, {subject_type}::varchar as subject_type,
                   result.{key}::varchar as subject_id
            from {model.table} as result
            where result.verdict = 'unknown' and result.{key} is not null"""


def _source(model: Model) -> str:
    return "coalesce(result.source, '')::varchar" if "source" in model.grain else "''"


def subject(model: Model) -> tuple[str, str]:
    """Return the column that says what a finding of this rule is about, and the kind of thing, as SQL."""
    return next((pair for pair in _SUBJECTS if pair[0] in model.grain), ("source", "'source'"))


def _columns_of_rules(connection: Connection) -> dict[str, set[str]]:
    """Return the columns of the tables of ``findings``, by table."""
    rows = connection.execute(
        "select schema_name || '.' || table_name, list(column_name) from duckdb_columns()"
        " where schema_name = 'findings' group by all"
    ).fetchall()
    return {table: set(names) for table, names in rows}


def _failed(rule: RuleInForce, parameter: str, present: Collection[str]) -> str:
    """Return the select of one rule's failed rows, in the columns that all rules have in common."""
    model = rule.model
    column = {name: f"result.{name}" if name in present else "null" for name in _OPTIONAL}
    if rule.severity is not None:  # the configured severity replaces every row's
        column["severity"] = "null"
    # A rule about exceptions takes over the severity of the excused finding, unless the configuration sets one.
    takes_over = "excused_rule_id" in model.grain and rule.severity is None
    key, subject_type = subject(model)
    grain = ", ".join(f"result.{key}" for key in model.grain)
    return f"""
            select substr(sha256(concat_ws(chr(31), ${parameter}, {grain})), 1, 16) as finding_id,
                   ${parameter} as rule_id, {column["severity"]}::varchar as severity,
                   nullif({_source(model)}, '') as source, {subject_type} as subject_type,
                   {"result.object_type" if "object_type" in model.grain else "null"}::varchar as object_type,
                   result.{key}::varchar as subject_id, {column["account_id"]}::varchar as account_id,
                   {column["detail"]}::varchar as detail, {column["observed_value"]}::varchar as observed_value,
                   {column["threshold"]}::varchar as threshold, {column["evidence"]}::json as evidence,
                   {"result.excused_rule_id" if takes_over else "null"}::varchar as excused_rule_id
            from {model.table} as result
            where result.verdict = 'failed'"""


def _misfit(
    connection: Connection, rules: Sequence[RuleInForce], failed: Sequence[str], error: duckdb.Error
) -> ModelError:
    """Find the rule whose rows do not fit; the error about the union of all rules does not name it."""
    culprit = rules[0].model
    for position, (rule, rows) in enumerate(zip(rules, failed, strict=True)):
        culprit = rule.model
        try:
            connection.execute(f"create or replace temp table misfit as {rows}", {f"rule_{position}": culprit.name})
        except duckdb.Error as own:
            error = own
            break
    return ModelError(
        f"the findings of {culprit.name} do not fit the register: {error}",
        where=str(culprit.path),
        hint="correct the columns beside the grain",
    )


def _summary(rule: RuleInForce, counts: _Counts) -> dict[str, object]:
    population, failed, unknown, passed = counts
    return {
        "rule_id": rule.model.name,
        "title": rule.model.title,
        "summary": rule.model.summary,
        "severity": rule.severity or rule.model.severity,
        "enabled": rule.is_enabled,
        "parameters": rule.parameters_text,
        "population": population,
        "failed": failed,
        "unknown": unknown,
        "passed": passed,
        "controls": rule.controls_text,
        "remediation": rule.model.remediation,
        "sql_sha256": rule.model.sha256,
    }
