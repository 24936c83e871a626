"""The snapshots of the database: which extracts were landed, how complete each is, and how many rows it has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import WarehouseError
from pipeline.warehouse import saved
from pipeline.warehouse.database import Connection

__all__ = ["RESOURCES", "Snapshot", "get", "latest", "list_all", "object_states", "reconciliation", "row_count"]

#: The resources whose records are kept, each in its table of ``raw``: those about accounts and people, those about
#: objects, and those of applications that are read from files.
RESOURCES = (
    "users",
    "roles",
    "groups",
    "scim_users",
    "scim_groups",
    "directory_users",
    "directory_groups",
    "directory_members",
    "directory_assignments",
    "dashboards",
    "folders",
    "models",
    "row_rules",
    "posture",
    "mailed_reports",
    "tenants",
    "file_accounts",
    "file_entitlements",
    "file_grants",
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A row of ``meta.snapshots``. Times are UTC without a zone, as everywhere in the database."""

    snapshot_id: str
    started_at: datetime
    finished_at: datetime
    as_of: datetime
    completeness: str
    reason: str | None
    tool_version: str
    config_sha256: str
    previous_snapshot_id: str | None
    pruned_at: datetime | None = None

    def require_rows(self) -> None:
        """Refuse a snapshot whose rows were deleted: a build or report made from it would be empty.

        Raises:
            WarehouseError: it was pruned.
        """
        if self.pruned_at is not None:
            raise WarehouseError(
                f"the rows of the snapshot '{self.snapshot_id}' were pruned on {self.pruned_at:%Y-%m-%d}",
                where="meta.snapshots",
                hint="its report folder, if it was kept, has them; choose another snapshot here",
            )


def list_all(connection: Connection) -> list[Snapshot]:
    """Return every landed extract, oldest first."""
    rows = connection.execute(
        """
        select snapshot_id, started_at, finished_at, as_of, completeness, reason, tool_version, config_sha256,
               previous_snapshot_id, pruned_at
        from meta.snapshots order by snapshot_id
        """
    ).fetchall()
    return [Snapshot(*row) for row in rows]


def latest(connection: Connection) -> Snapshot:
    """Return the newest extract.

    Raises:
        WarehouseError: the database holds no snapshot.
    """
    known = list_all(connection)
    if not known:
        raise WarehouseError(
            "the database holds no snapshot", where="meta.snapshots", hint="run 'access-review extract' first"
        )
    return known[-1]


def get(connection: Connection, snapshot_id: str) -> Snapshot:
    """Return one extract by its id.

    Raises:
        WarehouseError: no snapshot has that id.
    """
    for known in list_all(connection):
        if known.snapshot_id == snapshot_id:
            return known
    raise WarehouseError(
        f"there is no snapshot '{snapshot_id}'",
        where="meta.snapshots",
        hint="'access-review snapshots list' shows them all",
    )


def row_count(connection: Connection, snapshot_id: str) -> int:
    """Return how many records of one extract are kept, those of sweeps that were not accepted too."""
    counts = [
        connection.execute(f"select count(*) from raw.{name} where snapshot_id = $id", {"id": snapshot_id}).fetchall()
        for name in RESOURCES
    ]
    return sum(int(rows[0][0]) for rows in counts)


def reconciliation(connection: Connection, snapshot_id: str) -> list[tuple[object, ...]]:
    """Return an extract's checks, gate checks first: source, check, result, gate, expected, observed, explanation."""
    return connection.execute(
        """
        select source, check_id, result, is_gate, expected, observed, explanation
        from meta.reconciliation where snapshot_id = $id order by source, is_gate desc, check_id
        """,
        {"id": snapshot_id},
    ).fetchall()


def object_states(connection: Connection, snapshot_id: str) -> list[tuple[str, str, str]]:
    """Return source, state (FULL, PARTIAL or NOT_AVAILABLE) and the lists of objects of one extract in that state."""
    return connection.execute(saved.statement("landing", "object_states"), {"snapshot_id": snapshot_id}).fetchall()
