"""The identity of each table of a build: a hash of everything that its rows depend on.

The identity of a model's table covers its file, the values its statement binds, the identities of the tables that
the statement and its checks read, and the program itself. That of a table which outlives builds covers its rows, as
far as a build may use them; those are also the rows that :mod:`pipeline.warehouse.archive` writes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import chain
from pathlib import Path

import duckdb

from pipeline import resources
from pipeline.warehouse import saved
from pipeline.warehouse.database import Connection
from pipeline.warehouse.made import Made
from pipeline.warehouse.model import Model
from pipeline.warehouse.plan import BUILDER_TABLES
from pipeline.warehouse.rules import RuleInForce
from pipeline.warehouse.snapshots import Snapshot
from pipeline.warehouse.statement import parameters_of, tables_of

__all__ = ["names_the_build", "of_inputs", "of_models", "of_rules", "program"]

#: ``reference.snapshot`` without the columns that differ in every build. A model that names one of them reads it
#: whole; a test proves that the others run without them.
_SNAPSHOT = "(select * exclude (build_id, folder) from reference.snapshot)"
_WHOLE_SNAPSHOT = "reference.snapshot, whole"
_NAMES_THE_BUILD = re.compile(r"\b(build_id|folder)\b")

#: Values that every statement may bind; the others are a model's own.
_EVERYWHERE = ("snapshot_id", "as_of")

Values = Callable[[Model], Mapping[str, object]]


def of_inputs(
    connection: Connection, models: Iterable[Model], snapshot: Snapshot, made: Made, known: Mapping[str, str]
) -> dict[str, str]:
    """Return the identities of the tables that the models read and that outlive a build.

    ``known`` are those that need not be computed from the rows.
    """
    models = list(models)
    own = {*(model.table for model in models), *BUILDER_TABLES}
    tables = {table for model in models for table in _read(connection, model)} - own - known.keys()
    found = dict(known)
    history = {"history.register", *(table for table in tables if table.startswith("history."))}
    for table in history:
        found[table] = _hash(made.earlier(table, snapshot.snapshot_id))
    if selects := _contents(tables - history):
        bound = {"snapshot_id": snapshot.snapshot_id, "finished_at": snapshot.finished_at}
        statement = " union all ".join(selects)
        used = parameters_of(statement, connection)
        rows = connection.execute(statement, {name: bound[name] for name in used}).fetchall()
        extract = (snapshot.snapshot_id, snapshot.started_at.isoformat(), snapshot.finished_at.isoformat())
        found |= {table: _hash([*rest, *(extract if table.startswith("raw.") else ())]) for table, *rest in rows}
    return found


def of_models(
    connection: Connection, models: Iterable[Model], values: Values, known: Mapping[str, str]
) -> dict[str, str]:
    """Return the identity of the table of each model; the models come in the order of their builds.

    ``values`` gives what the rows of a model's table depend on besides the tables that it reads.
    ``known`` are the identities of the tables that they read and that another model or the program makes.
    """
    found: dict[str, str] = {}
    everything = ChainMap(found, dict(known))
    for model in models:
        texts = [text for text in (model.sql, model.population) if text]
        used = {name for text in texts for name in parameters_of(text, connection)}
        bound = {name: value for name, value in values(model).items() if name in used or name not in _EVERYWHERE}
        reads = [
            _WHOLE_SNAPSHOT if table == "reference.snapshot" and names_the_build(model) else table
            for table in sorted(_read(connection, model))
        ]
        found[model.table] = _hash(
            [
                program(),
                model.table,
                model.sha256,
                [[name, type(value).__name__, str(value)] for name, value in sorted(bound.items())],
                [[table, everything[table]] for table in reads],
            ]
        )
    return found


def of_rules(rules: Iterable[RuleInForce], known: Mapping[str, str]) -> dict[str, str]:
    """Return the identities of the tables that the builder makes from all rules; ``known`` has those of the rules."""
    in_force = [
        [
            rule.model.sha256, rule.is_enabled, rule.severity, rule.parameters_text,
            known.get(rule.model.table, ""),
        ]
        for rule in rules
    ]  # fmt: skip
    return {table: _hash([program(), table, in_force, known["history.register"]]) for table in BUILDER_TABLES}


def names_the_build(model: Model) -> bool:
    """Return whether a model may use a column of ``reference.snapshot`` that differs in every build."""
    return bool(_NAMES_THE_BUILD.search(f"{model.sql} {model.population}"))


def _read(connection: Connection, model: Model) -> set[str]:
    """Return the tables that a model reads, and those of its checks, whose warnings belong to the table."""
    checked = (tables_of(check.sql, connection) for check in model.checks)
    return {*model.reads, *chain.from_iterable(checked)} - {model.table}


def _contents(tables: Iterable[str]) -> list[str]:
    """Return selects of (table, rows, hash of the rows), each of those rows that a build may use."""
    used = {query.name: f"({query.sql}\n)" for query in saved.load_queries(resources.sql() / "inputs")}
    selects = []
    for table in sorted(tables):
        schema = table.partition(".")[0]
        if schema == "raw":  # rows of raw never change, so their number will do
            selects.append(f"select '{table}' as name, count(*), '' from {table} where snapshot_id = $snapshot_id")
        elif table == "review.items":  # nor do those of a campaign, of which there may be millions
            campaigns = "coalesce(string_agg(distinct campaign, ' ' order by campaign), '')"
            selects.append(f"select '{table}' as name, count(*), {campaigns} from {used[table]}")
        elif schema == "meta":
            selects.append(_content(table, f"(select * from {table} where snapshot_id = $snapshot_id)"))
        elif table == "reference.snapshot":
            selects += [_content(table, _SNAPSHOT), _content(_WHOLE_SNAPSHOT, table)]
        else:
            selects.append(_content(table, used.get(table, table)))
    return selects


def _content(name: str, rows: str) -> str:
    # Not hash(): of ids that differ in few places, as Sisense's do, it often gives the same number.
    return f"""
        select '{name}' as name, count(*),
            concat_ws(' ', sum(md5_number_lower(line)), sum(md5_number_upper(line)))
        from (select cast(to_json(content) as varchar) as line from {rows} as content)"""


@cache
def program() -> str:
    """Return a hash of the code and the statements that make tables, besides the models."""
    sql, package = resources.sql(), Path(__file__).parent.parent
    folders = [
        *(package.glob(f"{name}/*.py") for name in ("warehouse", "tables")),
        *((sql / name).glob("*.sql") for name in ("baseline", "inputs", "roster")),
    ]
    paths = [sql / "tables.sql", package / "addresses.py", *sorted(chain.from_iterable(folders))]
    return _hash([duckdb.__version__, *(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)])


def _hash(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
