"""The chain of reports: the manifest of each snapshot's report, and the manifest that it is chained to.

The link is set when a snapshot is reported for the first time, and kept, so that the same report has the same bytes
again. It names the manifest last written for the newest earlier snapshot that has one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from pipeline.warehouse.database import Connection, insert, transaction

__all__ = ["SealedReport", "previous", "record"]


def previous(connection: Connection, snapshot_id: str) -> str | None:
    """Return the hash of the manifest that this snapshot's report is chained to; None for the first of a chain."""
    decided = connection.execute(
        "select previous_manifest_sha256 from meta.reports where snapshot_id = $id limit 1", {"id": snapshot_id}
    ).fetchone()
    if decided is None:
        decided = connection.execute(
            "select manifest_sha256 from meta.reports where snapshot_id < $id"
            " order by snapshot_id desc, written_at desc, manifest_sha256 limit 1",
            {"id": snapshot_id},
        ).fetchone()
    return decided[0] if decided else None


@dataclass(frozen=True, slots=True)
class SealedReport:
    """A sealed report: one row of ``meta.reports``. ``written_at`` is UTC without a zone."""

    snapshot_id: str
    build_id: str
    data_sha256: str
    manifest_sha256: str
    previous_manifest_sha256: str | None
    written_at: datetime


def record(connection: Connection, report: SealedReport) -> None:
    """Remember a report that has been written; a report with a known manifest only becomes the last one written."""
    with transaction(connection):
        connection.execute(
            "delete from meta.reports where snapshot_id = $snapshot_id and manifest_sha256 = $manifest_sha256",
            {"snapshot_id": report.snapshot_id, "manifest_sha256": report.manifest_sha256},
        )
        insert(connection, "meta.reports", [asdict(report)])
