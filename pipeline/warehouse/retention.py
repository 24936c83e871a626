"""Retention: which snapshots' rows may go, and their going.

What goes are the rows of ``raw`` and ``history``; ``meta`` keeps that the extract was made, how complete it was, and
the hash of every page.
"""

from __future__ import annotations

from datetime import datetime

from pipeline.warehouse import database
from pipeline.warehouse.database import Connection
from pipeline.warehouse.events import LAST_COMPARED

__all__ = ["prune"]

#: Old enough, still there, and needed by nothing: not what the reports show or compare with, not what is or was
#: reviewed, not the newest, and not any source's newest complete one, which the next will be compared with; nor
#: what the next events will be told from.
_PRUNABLE = f"""
    select snapshot_id from meta.snapshots
    where finished_at < $before and pruned_at is null
        and snapshot_id not in (select snapshot_id from reference.snapshot)
        and snapshot_id not in (select snapshot_id from baseline.snapshot)
        and snapshot_id not in (select snapshot_id from review.campaigns)
        and snapshot_id <> (select max(snapshot_id) from meta.snapshots)
        and snapshot_id not in (
            select max(sources.snapshot_id)
            from meta.sources as sources
            join meta.snapshots as snapshots on snapshots.snapshot_id = sources.snapshot_id
            where snapshots.completeness = 'FULL'
            group by sources.source
        )
        and snapshot_id not in (select snapshot_id from ({LAST_COMPARED}))
        and (
            not $watched_only or (
                snapshot_id in (select snapshot_id from meta.watched)
                and snapshot_id not in (select snapshot_id from meta.reports)
                and snapshot_id not in (
                    select baseline_snapshot_id from meta.reports join meta.builds using (build_id)
                    where baseline_snapshot_id is not null
                )
            )
        )
    order by snapshot_id
"""


def prune(connection: Connection, *, before: datetime, now: datetime, watched_only: bool = False) -> list[str]:
    """Remove the rows of snapshots that ended before a moment (UTC); return their ids, oldest first.

    The log of events stays. ``watched_only`` leaves all but those that ``watch`` made and no report
    shows or compares with.
    The file does not shrink: the room that is free in it is used again.
    """
    with database.transaction(connection):
        found = [
            str(row[0])
            for row in connection.execute(_PRUNABLE, {"before": before, "watched_only": watched_only}).fetchall()
        ]
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('raw', 'history')"
            " and not (schema_name = 'history' and table_name = 'events')"
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"delete from {table} where list_contains($ids, snapshot_id)", {"ids": found})
        connection.execute(
            "update meta.snapshots set pruned_at = $now where list_contains($ids, snapshot_id)",
            {"now": now, "ids": found},
        )
    return found
