"""Retention: deletes the rows of old snapshots that nothing needs any more.

The rows of ``raw`` and ``history`` go, but for events and the trend. ``meta`` keeps that the extract was made, how
complete it was, and the hash of every page.
"""

from __future__ import annotations

from datetime import datetime

from pipeline.warehouse import database, saved
from pipeline.warehouse.database import Connection

__all__ = ["prune"]


def prune(connection: Connection, *, before: datetime, now: datetime, watched_only: bool = False) -> list[str]:
    """Delete the rows of snapshots that ended before a moment (UTC); return their ids, oldest first.

    ``sql/retention/prunable.sql`` says which snapshots may be pruned. ``watched_only`` limits them to those that
    ``watch`` made and that no report shows or compares with. The log of events and the figures of the trend stay.
    The file does not shrink; its free space is used again.
    """
    with database.transaction(connection):
        prunable = connection.execute(
            saved.statement("retention", "prunable"), {"before": before, "watched_only": watched_only}
        ).fetchall()
        ids = [str(snapshot_id) for (snapshot_id,) in prunable]
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('raw', 'history')"
            " and not (schema_name = 'history' and table_name in ('events', 'trend', 'trend_figures'))"
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"delete from {table} where list_contains($ids, snapshot_id)", {"ids": ids})
        connection.execute(
            "update meta.snapshots set pruned_at = $now where list_contains($ids, snapshot_id)",
            {"now": now, "ids": ids},
        )
    return ids
