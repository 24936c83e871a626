"""The chain of reports: which manifest a snapshot's report had, and which one it names as the one before.

The link is decided when a snapshot is reported for the first time and stays, so that a report made again has the same
bytes: it is the manifest last written for the newest earlier snapshot that has one.
"""

from __future__ import annotations

from datetime import datetime

from pipeline.warehouse.database import Connection, transaction

__all__ = ["previous", "record"]


def previous(connection: Connection, snapshot_id: str) -> str | None:
    """Return the hash of the manifest that this snapshot's report is chained to; null for the first of a chain."""
    decided = connection.execute(
        "select previous_manifest_sha256 from meta.reports where snapshot_id = $id limit 1", {"id": snapshot_id}
    ).fetchone()
    if decided is None:
        decided = connection.execute(
            """
            select manifest_sha256 from meta.reports where snapshot_id < $id
            order by snapshot_id desc, written_at desc, manifest_sha256 limit 1
            """,
            {"id": snapshot_id},
        ).fetchone()
    return decided[0] if decided else None


def record(
    connection: Connection,
    *,
    snapshot_id: str,
    build_id: str,
    data_sha256: str,
    manifest_sha256: str,
    previous_manifest_sha256: str | None,
    written_at: datetime,
) -> None:
    """Remember a report that has been written; one with the same manifest only becomes the last written."""
    with transaction(connection):
        connection.execute(
            "delete from meta.reports where snapshot_id = $snapshot_id and manifest_sha256 = $manifest_sha256",
            {"snapshot_id": snapshot_id, "manifest_sha256": manifest_sha256},
        )
        connection.execute(
            "insert into meta.reports values ($1, $2, $3, $4, $5, $6)",
            [snapshot_id, build_id, data_sha256, manifest_sha256, previous_manifest_sha256, written_at],
        )
