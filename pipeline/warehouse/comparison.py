"""Compares any two snapshots that were built, from what ``history`` kept of them.

The comparison itself is ``sql/4_reports/changes.sql``, the very statement behind ``changes.csv``: this module only
lays the two snapshots out under the names that it reads, in a database in memory beside the real one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from pipeline import resources
from pipeline.errors import WarehouseError
from pipeline.warehouse import snapshots
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model_file import load_model

__all__ = ["changes", "laid_out"]

_SCRATCH = "comparison"
#: What ``changes`` reads of each snapshot, as ``history`` has it.
_TABLES = ("accounts", "roles", "groups", "grants", "register")
#: Groups as ``graph.entitlements`` has them; ``history`` keeps what decides whether one means power.
_ENTITLEMENTS = """
    create table graph.entitlements as
    select
        source, 'group' as entitlement_type, group_id as entitlement_id,
        coalesce(group_name, group_id) as entitlement_name,
        case when is_listed_privileged or coalesce(carries_privileged, false) then 'privileged' else 'standard' end
            as permission_level
    from graph.groups
"""


def changes(connection: Connection, old: str, new: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Return the column names of ``reports.changes`` and what changed from ``old`` to ``new``, in its file's order.

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
    """Work, while the block runs, in a database in memory with the two snapshots and ``reports.changes`` in it.

    ``sources`` narrows both to those sources. What is yielded is the name of the real database, quoted.

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
        connection.execute(_ENTITLEMENTS)
        model = load_model(resources.sql() / "4_reports" / "changes.sql")
        connection.execute(
            f"create schema reports; create table reports.changes as {model.sql}", {"snapshot_id": new}
        )
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
