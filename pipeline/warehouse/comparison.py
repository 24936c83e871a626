"""Compares any two snapshots that were built, by the rows that ``history`` keeps of them.

The comparison itself is ``sql/4_reports/changes.sql``, the statement behind ``changes.csv``. This module copies both
snapshots into a database in memory, under the names that the statement reads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from pipeline import resources
from pipeline.errors import WarehouseError
from pipeline.warehouse import checks, snapshots
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model_file import load_model

__all__ = ["changes", "laid_out"]

_SCRATCH = "comparison"
#: The tables of ``history`` that are copied of each snapshot.
_TABLES = ("accounts", "roles", "groups", "grants", "register")
#: The model that is built from them.
_MODEL = "4_reports/changes.sql"


def changes(connection: Connection, old: str, new: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Return the column names of ``reports.changes`` and its rows from ``old`` to ``new``, in the order of the file.

    Raises:
        WarehouseError: there is no such snapshot, it was never built, or it was pruned.
    """
    with laid_out(connection, old, new):
        cursor = connection.execute(
            "select * from reports.changes order by source, object_kind, key, change, field",
        )
        return [str(column[0]) for column in cursor.description or []], cursor.fetchall()


@contextmanager
def laid_out(connection: Connection, old: str, new: str, sources: Collection[str] | None = None) -> Iterator[str]:
    """Switch, while the block runs, to a database in memory that holds both snapshots and ``reports.changes``.

    ``sources`` limits both to those sources. Yields the quoted name of the real database.

    Raises:
        WarehouseError: there is no such snapshot, it was never built, or it was pruned.
    """
    for snapshot_id in (old, new):
        snapshots.get(connection, snapshot_id).require_rows()
        _require_built(connection, snapshot_id)
    [(database,)] = connection.execute("""select '"' || replace(current_database(), '"', '""') || '"'""").fetchall()
    connection.execute(f"attach ':memory:' as {_SCRATCH} (read_only false); use {_SCRATCH}")
    try:
        for schema, snapshot_id in (("baseline", old), ("graph", new)):
            connection.execute(f"create schema {schema}")
            for table in _TABLES:
                connection.execute(
                    f"create table {schema}.{table} as select * exclude (build_id, snapshot_id) "
                    f"from {database}.history.{table} "
                    "where snapshot_id = $id and ($sources is null or list_contains($sources, source))",
                    {"id": snapshot_id, "sources": None if sources is None else list(sources)},
                )
        connection.execute("create table baseline.snapshot as select $id as snapshot_id", {"id": old})
        connection.execute(
            f"create schema reference; create table reference.rules as select * from {database}.reference.rules"
        )
        connection.execute("create schema reports")
        model = load_model(resources.sql() / _MODEL)
        values = checks.bound(connection, model.sql, {"snapshot_id": new})
        connection.execute(f"create table {model.table} as {model.sql}", values)
        yield str(database)
    finally:
        connection.execute(f"use {database}; detach {_SCRATCH}")


def _require_built(connection: Connection, snapshot_id: str) -> None:
    row = connection.execute(
        "select count(*) from history.accounts where snapshot_id = $id", {"id": snapshot_id}
    ).fetchone()
    if row == (0,):
        raise WarehouseError(
            f"the snapshot '{snapshot_id}' was never built",
            where="history.accounts",
            hint=f"run 'access-review build --snapshot {snapshot_id}' first",
        )
