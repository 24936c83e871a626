"""Retention: deletes the rows of old snapshots that nothing needs any more, and old events.

The rows of ``raw`` and ``history`` go, but for the trend, which has counts alone. ``meta`` keeps that the extract was
made, how complete it was, and the hash of every page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.warehouse import database, saved
from pipeline.warehouse.database import Connection

__all__ = ["Prunable", "prunable", "prune", "prune_events"]


@dataclass(frozen=True, slots=True)
class Prunable:
    """What is old enough to delete: snapshots by id, oldest first, and the positions of events."""

    snapshots: list[str]
    events: list[int]


def prunable(connection: Connection, *, before: datetime, watched_only: bool = False) -> Prunable:
    """Return what may be deleted of the time before a moment (UTC); nothing is changed.

    ``sql/retention/`` says what is needed and stays. ``watched_only`` limits the snapshots to those that ``watch``
    made and that no report shows or compares with.
    """
    found = connection.execute(
        saved.statement("retention", "prunable"), {"before": before, "watched_only": watched_only}
    ).fetchall()
    old = connection.execute(saved.statement("retention", "events"), {"before": before}).fetchall()
    return Prunable([str(snapshot_id) for (snapshot_id,) in found], [int(position) for (position,) in old])


def prune_events(connection: Connection, *, before: datetime) -> int:
    """Delete the events before a moment (UTC) that no sink waits for; return how many."""
    with database.transaction(connection):
        positions = prunable(connection, before=before).events
        connection.execute("delete from history.events where list_contains($p, position)", {"p": positions})
    return len(positions)


def prune(connection: Connection, *, before: datetime, now: datetime, watched_only: bool = False) -> list[str]:
    """Delete the rows of snapshots that ended before a moment (UTC); return their ids, oldest first.

    ``watched_only`` is that of :func:`prunable`. The log of events and the figures of the trend stay. The file does
    not shrink; its free space is used again.
    """
    with database.transaction(connection):
        ids = prunable(connection, before=before, watched_only=watched_only).snapshots
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
