"""The event log: changes that ``watch`` found between complete extracts, and how far each sink has received them.

``history.events`` only grows. A comparison appends its events and its row of ``meta.watched`` in one transaction, so
each event is recorded once even if the program is killed. Each source continues from its own last compared extract.
A source that is configured later starts its own log, so its existing accounts are not joiners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from pipeline.errors import WarehouseError
from pipeline.warehouse import comparison, database, saved, snapshots
from pipeline.warehouse.database import Connection
from pipeline.warehouse.snapshots import Snapshot

__all__ = ["LOG", "Comparison", "id_at", "last_position", "note", "pending", "record", "remember"]


#: The events as the log has them.
LOG = "select * from history.events where position > $after order by position limit $most"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The snapshot that each source was compared with, or None if its log starts here; and the events by kind."""

    previous: dict[str, str | None]
    kinds: dict[str, int]


def note(connection: Connection, snapshot_id: str, *, now: datetime) -> None:
    """Record that ``watch`` made a snapshot, before it is built, so that it is pruned even if the build fails."""
    connection.execute(
        "insert or ignore into meta.watched by name select snapshot_id, source, false as is_compared, 0 as events,"
        " $now as recorded_at from meta.sources where snapshot_id = $id",
        {"id": snapshot_id, "now": now},
    )


def record(connection: Connection, snapshot: Snapshot, *, now: datetime) -> Comparison | None:
    """Append the events of a snapshot once. Return None for a snapshot that is not FULL: it is not compared.

    A FULL snapshot must have been built. ``now`` is UTC without a zone.

    Raises:
        WarehouseError: it was never built, or the database fails; then nothing is appended.
    """
    sources = connection.execute(
        "select source from meta.sources where snapshot_id = $id and kind in ('sisense', 'files') order by source",
        {"id": snapshot.snapshot_id},
    ).fetchall()
    names = [str(row[0]) for row in sources]
    is_full = snapshot.completeness == "FULL"
    previous = {name: _previous(connection, snapshot.snapshot_id, name) if is_full else None for name in names}
    kinds: dict[str, int] = {}
    try:
        with database.transaction(connection):
            for name in names:
                if previous[name] is None:
                    _watched(connection, snapshot, name, None, now)
        for old in sorted({old for old in previous.values() if old is not None}):
            compared = [name for name, before in previous.items() if before == old]
            for kind, count in _append(connection, old, snapshot, compared, now).items():
                kinds[kind] = kinds.get(kind, 0) + count
    except duckdb.Error as error:
        raise WarehouseError(
            f"the events could not be recorded: {str(error).splitlines()[0]}",
            where="history.events",
            hint="nothing was appended; the next extract is compared with the same one again",
        ) from error
    return Comparison(previous, kinds) if is_full else None


def _previous(connection: Connection, snapshot_id: str, source: str) -> str | None:
    row = connection.execute(
        saved.statement("watch", "previous"), {"source": source, "snapshot_id": snapshot_id}
    ).fetchone()
    return row[0] if row else None


def _append(
    connection: Connection, old: str, snapshot: Snapshot, sources: Sequence[str], now: datetime
) -> dict[str, int]:
    earlier = snapshots.get(connection, old)
    [(last,)] = connection.execute("select coalesce(max(position), 0) from history.events").fetchall()
    values = {"previous_snapshot_id": old, "snapshot_id": snapshot.snapshot_id}
    with comparison.laid_out(connection, old, snapshot.snapshot_id, sources) as real:
        connection.execute(f"create table events as {saved.statement('watch', 'events')}", values)
        with database.transaction(connection):  # A transaction can write to one database only: the real one.
            connection.execute(
                f"insert into {real}.history.events by name select $last + place as position, * exclude (place),"
                " $previous_snapshot_id as previous_snapshot_id, $snapshot_id as snapshot_id,"
                " $happened_after as happened_after, $detected_at as detected_at from events",
                values | {"last": last, "happened_after": earlier.started_at, "detected_at": snapshot.finished_at},
            )
            for source in sources:
                _watched(connection, snapshot, source, old, now, real=f"{real}.")
        counted = connection.execute("select kind, count(*) from events group by kind order by kind").fetchall()
    return {str(kind): int(count) for kind, count in counted}


def _watched(
    connection: Connection, snapshot: Snapshot, source: str, previous: str | None, now: datetime, *, real: str = ""
) -> None:
    connection.execute(
        f"insert or replace into {real}meta.watched by name select $snapshot_id as snapshot_id, $source as source,"
        " $previous as previous_snapshot_id, $is_compared as is_compared, count(*) as events, $now as recorded_at"
        f" from {real}history.events where snapshot_id = $snapshot_id and source = $source",
        {
            "snapshot_id": snapshot.snapshot_id,
            "source": source,
            "previous": previous,
            "is_compared": snapshot.completeness == "FULL",
            "now": now,
        },
    )


def last_position(connection: Connection, sink_id: str) -> int:
    """Return the position of the last event that a sink has received; 0 for a new sink."""
    row = connection.execute("select position from meta.deliveries where sink_id = $id", {"id": sink_id}).fetchone()
    return int(row[0]) if row else 0


def id_at(connection: Connection, position: int) -> str | None:
    """Return the id of the event at a position, or None."""
    row = connection.execute("select event_id from history.events where position = $p", {"p": position}).fetchone()
    return str(row[0]) if row else None


def pending(connection: Connection, after: int, most: int, select: str = LOG) -> list[dict[str, Any]]:
    """Return up to ``most`` events after a position, in order, as dictionaries by column name.

    ``select`` gives them in another form; it takes ``$after`` and ``$most``, and keeps ``position`` and ``event_id``.
    """
    cursor = connection.execute(select, {"after": after, "most": most})
    header = [column[0] for column in cursor.description or []]
    return [dict(zip(header, row, strict=True)) for row in cursor.fetchall()]


def remember(connection: Connection, *, sink_id: str, sink: str, position: int, now: datetime) -> None:
    """Record that a sink has received every event up to a position."""
    connection.execute(
        "insert or replace into meta.deliveries by name select $sink_id as sink_id, $sink as sink,"
        " $position as position, $now as delivered_at",
        {"sink_id": sink_id, "sink": sink, "position": position, "now": now},
    )
