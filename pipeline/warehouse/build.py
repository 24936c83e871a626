"""Builds the models of one snapshot: binds, creates, checks and publishes them, in one transaction.

A table of the current build that would come out the same is kept (:mod:`pipeline.warehouse.made`).

Readers see the old build or the new one. Policy, reference and roster are read inside the transaction too, so that a
build and the inputs it names can never differ.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

import duckdb

from pipeline.errors import ModelError, WarehouseError
from pipeline.warehouse import build_inputs, checks, database, identities, register
from pipeline.warehouse.build_inputs import Inputs
from pipeline.warehouse.comments import comment
from pipeline.warehouse.connection import reason_of
from pipeline.warehouse.database import Connection
from pipeline.warehouse.executor import Executor, InDuckDB, replacing
from pipeline.warehouse.made import Made, MadeTable, record
from pipeline.warehouse.model import Model
from pipeline.warehouse.plan import BUILDER_TABLES, order
from pipeline.warehouse.publishing import Publication, publish
from pipeline.warehouse.rules import RuleInForce
from pipeline.warehouse.snapshots import Snapshot
from pipeline.warehouse.statement import key_is_proven

__all__ = ["Build", "Inputs", "build", "rebuild"]

#: Schemas whose tables a build makes.
_BUILT = ("staging", "graph", "findings", "reports")

#: With up to so many records a second thread costs more than it saves: DuckDB gives a thread 122,880 rows of a table.
_FEW_RECORDS = 20_000


@dataclass(frozen=True, slots=True)
class Build:
    """A build: its snapshot, its id, the name of the report folder, rows by table, and the warnings of its checks."""

    snapshot_id: str
    build_id: str
    folder: str
    rows: Mapping[str, int]
    warnings: tuple[str, ...]


def build(
    connection: Connection,
    models: Sequence[Model],
    inputs: Inputs,
    *,
    progress: Callable[[str, int, int], None],
    executor: Executor | None = None,
) -> Build:
    """Build every model for one snapshot and publish it. ``progress`` gets (table, done, of).

    ``executor`` runs the models; by default the database does.

    Raises:
        ConfigurationError: a policy file or the roster is wrong.
        ModelError: a model does not run, or breaks what its header promises. The previous build stays.
        WarehouseError: the requested baseline does not exist.
    """
    connection.execute("set preserve_insertion_order = false")  # tables have no order; every reader sorts
    if _records(connection) <= _FEW_RECORDS:
        connection.execute("set threads = 1")
    builder = _Builder(connection, inputs.rules, inputs.snapshot, inputs.as_of, executor)
    try:
        with replacing(connection, builder.executor), database.transaction(connection):
            return builder.run(models, inputs, progress)
    except (duckdb.CatalogException, duckdb.BinderException):
        raise  # a lasting table has other columns than this version expects; database.writing reports that
    except ModelError as error:
        if isinstance(error.__cause__, database.NO_ROOM):  # nothing is wrong with the model
            raise _failed(error.__cause__, error.where) from error
        raise
    except duckdb.Error as error:
        raise _failed(error, "database") from error


def _failed(error: duckdb.Error, where: str) -> WarehouseError:
    return WarehouseError(
        f"the build failed: {reason_of(error)}",
        where=where,
        hint="free some space if the disk or the memory is full, then build again; the previous build is whole",
    )


def rebuild(
    connection: Connection, models: Sequence[Model], rules: Sequence[RuleInForce], snapshot: Snapshot, as_of: datetime
) -> None:
    """Build every model once more from inputs that are in the database already; publish nothing.

    Raises:
        ModelError: a model does not run, or breaks what its header promises.
    """
    _Builder(connection, rules, snapshot, as_of).create_all(models, lambda *_: None, Reusable())


@dataclass(frozen=True, slots=True)
class Reusable:
    """What a build may reuse: the tables of the earlier build, if they were made from the same.

    ``known`` are the identities of the tables that outlive builds. Without any, every table is made.
    """

    build_id: str = ""
    earlier: Made = field(default_factory=Made)
    known: Mapping[str, str] = field(default_factory=dict)


class _Builder:
    def __init__(
        self,
        connection: Connection,
        rules: Sequence[RuleInForce],
        snapshot: Snapshot,
        as_of: datetime,
        executor: Executor | None = None,
    ) -> None:
        self.connection = connection
        self.executor: Executor = executor or InDuckDB(connection)
        self.rules = {rule.model.table: rule for rule in rules}
        self.snapshot = snapshot
        self.as_of = as_of
        self.made: dict[str, MadeTable] = {}
        self.unverified: list[Model] = []

    def run(self, models: Sequence[Model], inputs: Inputs, progress: Callable[[str, int, int], None]) -> Build:
        earlier = Made.read(self.connection)
        if not isinstance(self.executor, InDuckDB):  # an engine has a table in its own lake only if it has made it
            earlier = replace(earlier, tables={})
        loaded = build_inputs.load(self.connection, models, inputs, earlier)
        filled = {table: made.identity for table, made in loaded.filled.items()}
        known = identities.of_inputs(self.connection, _layers(models), self.snapshot, earlier, filled)
        made_anew = self.create_all(models, progress, Reusable(loaded.build_id, earlier, known))
        comment(self.connection, made_anew)
        progress("history", len(self.made), len(self.made))
        identity = {table: made.identity for table, made in self.made.items()}
        published = publish(
            self.connection, Publication(self.snapshot.snapshot_id, loaded.build_id, identity), earlier
        )
        views = {model.table for model in models if model.is_view}
        made = {table: made for table, made in self.made.items() if table not in views}
        record(self.connection, loaded.build_id, {**loaded.filled, **made}, published)
        warnings = [*loaded.notes, *chain.from_iterable(made.warnings for made in self.made.values())]
        rows = {table: self.count(table) if made.rows is None else made.rows for table, made in self.made.items()}
        return Build(self.snapshot.snapshot_id, loaded.build_id, loaded.folder, rows, tuple(warnings))

    def create_all(
        self, models: Sequence[Model], progress: Callable[[str, int, int], None], reusable: Reusable
    ) -> list[Model]:
        """Make the tables of the built schemas that cannot be reused; return their models, in order."""
        earlier = reusable.earlier
        lasting = frozenset(self.tables())
        plan = [m for m in order(_layers(models), lasting) if not m.is_rule or self.rules[m.table].is_enabled]
        # The models that read the union of all rules are built after it.
        before = [model for model in plan if _precedes_union(model)]
        after = [model for model in plan if not _precedes_union(model)]
        wanted = self.identities(before, after, reusable.known) if reusable.known else {}
        reused = {table for table, identity in wanted.items() if earlier.holds(table, identity)}
        self.drop_previous(keep=reused)
        self.executor.begin(reusable.build_id, [(model, self.bound(model)) for model in [*before, *after]])
        for position, model in enumerate([*before, *after]):
            if position == len(before):
                self.unite_rules(wanted, reused, is_recorded=BUILDER_TABLES[0] in earlier.tables)
            progress(model.table, position, len(plan))
            if model.table in reused:
                self.made[model.table] = earlier.tables[model.table]
            else:
                self.create(model, wanted.get(model.table, ""))
        self.verify_tables()
        return [model for model in plan if model.table not in reused]

    def identities(self, before: Sequence[Model], after: Sequence[Model], known: Mapping[str, str]) -> dict[str, str]:
        """Return the identity of every table that this build has, in the order of the build."""
        found = identities.of_models(self.connection, before, self.identifying_values, known)
        found |= identities.of_rules(self.rules.values(), {**known, **found})
        return found | identities.of_models(self.connection, after, self.identifying_values, {**known, **found})

    def unite_rules(self, wanted: Mapping[str, str], reused: Collection[str], *, is_recorded: bool) -> None:
        """Verify the rules and fill the tables about all of them, as far as their rows changed."""
        self.verify_tables()
        if BUILDER_TABLES[0] not in reused:
            kept = [table for table in self.rules if table in reused] if is_recorded else []
            register.fill(
                self.connection,
                tuple(self.rules.values()),
                self.values,
                snapshot_id=self.snapshot.snapshot_id,
                kept={self.rules[table].model.name for table in kept},
            )
        self.made |= {table: MadeTable(wanted.get(table, "")) for table in BUILDER_TABLES}

    def drop_previous(self, keep: Collection[str]) -> None:
        for view in self.views():
            self.connection.execute(f"drop view {view}")
        for table in self.tables():
            if table.partition(".")[0] in _BUILT and table not in {*BUILDER_TABLES, *keep}:
                self.connection.execute(f"drop table {table}")

    def tables(self) -> list[str]:
        rows = self.connection.execute(
            """
            select schema_name || '.' || table_name from duckdb_tables()
            where not internal and not temporary order by all
            """
        ).fetchall()
        return [row[0] for row in rows]

    def views(self) -> list[str]:
        """Return the views of the built schemas, quoted: a view of a user may have any name."""
        rows = self.connection.execute(
            """select '"' || schema_name || '"."' || replace(view_name, '"', '""') || '"' from duckdb_views()"""
            " where not internal and not temporary and list_contains($built, schema_name) order by all",
            {"built": [*_BUILT]},
        ).fetchall()
        return [row[0] for row in rows]

    def values(self, model: Model) -> dict[str, object]:
        """Return every value a statement of this model may bind."""
        rule = self.rules.get(model.table)
        return {
            "snapshot_id": self.snapshot.snapshot_id,
            "as_of": self.as_of,
            **(rule.parameters if rule else model.params),
        }

    def identifying_values(self, model: Model) -> dict[str, object]:
        """Return every value on which the rows of this model's table depend."""
        rule = self.rules.get(model.table)
        return self.values(model) | ({"severity": rule.severity} if rule else {})

    def bound(self, model: Model) -> dict[str, object]:
        return checks.bound(self.connection, model.sql, self.values(model))

    def create(self, model: Model, identity: str) -> None:
        rows = self.executor.create(model, self.bound(model))
        self.unverified.append(model)
        warnings = checks.verify_model(model, self.executor)
        self.made[model.table] = MadeTable(identity, rows, tuple(warnings))

    def verify_tables(self) -> None:
        """Hold the tables made since the last call to their columns and grains."""
        checks.verify_columns(self.connection, self.unverified)
        rows = {model.table: self.made[model.table].rows or 0 for model in self.unverified}
        tables = [model for model in self.unverified if not model.is_view]
        # An engine runs a translation of the statement, so its rows are counted whatever the statement shows.
        shown = [
            model.table
            for model in tables
            if isinstance(self.executor, InDuckDB) and key_is_proven(model.sql, model.grain, self.connection)
        ]
        checks.verify_grains(self.executor, tables, rows, proven=shown)
        self.unverified = []

    def count(self, table: str) -> int:
        row = self.connection.execute(f"select count(*) from {table}").fetchone()
        return int(row[0]) if row else 0


def _records(connection: Connection) -> int:
    """Return about how many records the database has of all snapshots."""
    [(count,)] = connection.execute(
        "select coalesce(sum(estimated_size), 0) from duckdb_tables() where schema_name = 'raw'"
    ).fetchall()
    return int(count)


def _layers(models: Sequence[Model]) -> list[Model]:
    return [model for model in models if model.schema in _BUILT]


def _precedes_union(model: Model) -> bool:
    return model.schema in {"staging", "graph"} or model.is_rule
