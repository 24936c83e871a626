"""Compares any two snapshots that were built, from what ``history`` kept of them.

The comparison itself is ``sql/4_reports/changes.sql``, the very statement behind ``changes.csv``: this module only
lays the two snapshots out under the names that it reads, in a database in memory beside the real one.
"""

from __future__ import annotations

from pipeline import resources
from pipeline.errors import WarehouseError
from pipeline.warehouse import landing
from pipeline.warehouse.database import Connection
from pipeline.warehouse.model import load_model

__all__ = ["changes"]

_SCRATCH = "comparison"
#: What ``changes`` reads of each snapshot, as ``history`` has it.
_TABLES = ("accounts", "roles", "groups", "grants")
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

    The connection is left in the database in memory: use it for nothing else afterwards.

    Raises:
        WarehouseError: there is no such snapshot, it was never built, or it was pruned.
    """
    for snapshot_id in (old, new):
        landing.snapshot(connection, snapshot_id).require_rows()
        _require_built(connection, snapshot_id)
    [(database,)] = connection.execute("""select '"' || replace(current_database(), '"', '""') || '"'""").fetchall()
    connection.execute(f"attach ':memory:' as {_SCRATCH} (read_only false); use {_SCRATCH}")
    for schema, snapshot_id in (("baseline", old), ("graph", new)):
        connection.execute(f"create schema {schema}")
        for table in _TABLES:
            connection.execute(
                f"create table {schema}.{table} as select * exclude (build_id, snapshot_id) "
                f"from {database}.history.{table} where snapshot_id = $id",
                {"id": snapshot_id},
            )
    connection.execute("create table baseline.snapshot as select $id as snapshot_id", {"id": old})
    connection.execute(_ENTITLEMENTS)
    model = load_model(resources.sql() / "4_reports" / "changes.sql")
    ordered = f"select * from ({model.sql}\n) order by source, object_kind, key, change, field"
    cursor = connection.execute(ordered, {"snapshot_id": new})
    return [str(column[0]) for column in cursor.description or []], cursor.fetchall()


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
