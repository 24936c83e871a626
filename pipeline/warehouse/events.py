"""The event log: what ``watch`` found between complete extracts of a source, and how far each sink has received it.

``history.events`` only grows. A comparison appends its events and its row of ``meta.watched`` in one transaction, so
each event is recorded once even if the program is killed. Each source continues from its own last compared extract,
whether or not the other sources of an extract were read whole. A source that is configured later starts its own log,
so its existing accounts are not joiners.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from pipeline.errors import WarehouseError
from pipeline.warehouse import comparison, database, saved, snapshots
from pipeline.warehouse.database import Connection
from pipeline.warehouse.snapshots import Snapshot

__all__ = ["LOG", "Comparison", "has_comparable", "id_at", "last_position", "note", "pending", "record", "remember"]


#: The events as the log has them.
LOG = "select * from history.events where position > $after order by position limit $most"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared. Directories and SCIM servers have no events of their own.

    ``previous`` has the snapshot that each source was compared with, or None if its log starts here. ``kinds`` counts
    the events. ``incomplete`` says why a source was not read whole: such a source was not compared, and while a
    directory is among them, neither were the findings about people.
    """

    previous: dict[str, str | None]
    kinds: dict[str, int]
    incomplete: dict[str, str]


def note(connection: Connection, snapshot_id: str, *, now: datetime) -> None:
    """Record that ``watch`` made a snapshot, before it is built, so that it is pruned even if the build fails."""
    connection.execute(
        "insert or ignore into meta.watched by name select snapshot_id, source, false as is_compared, 0 as events,"
        " $now as recorded_at from meta.sources where snapshot_id = $id",
        {"id": snapshot_id, "now": now},
    )


def has_comparable(connection: Connection, snapshot_id: str) -> bool:
    """Return whether a source with events was read whole, so that the snapshot is worth a build."""
    return any(has_events and reason is None for _, has_events, reason in _sources(connection, snapshot_id))


def record(connection: Connection, snapshot: Snapshot, *, now: datetime) -> Comparison:
    """Append the events of a snapshot once; each source read whole is compared with its own last such extract.

    A snapshot with such a source must have been built. ``now`` is UTC without a zone.

    Raises:
        WarehouseError: it was never built, or the database fails; then nothing is appended.
    """
    sources = _sources(connection, snapshot.snapshot_id)
    watched = {name: reason is None for name, has_events, reason in sources if has_events}
    previous = {
        name: _previous(connection, snapshot.snapshot_id, name) for name, is_whole in watched.items() if is_whole
    }
    kinds: dict[str, int] = {}
    try:
        with database.transaction(connection):
            for name, is_whole in watched.items():
                if previous.get(name) is None:
                    _watched(connection, _Step(snapshot, name, None, is_compared=is_whole), now)
        for (old, evaluated), compared in _together(connection, snapshot.snapshot_id, previous).items():
            for kind, count in _append(connection, _Pair(old, evaluated, snapshot), compared, now).items():
                kinds[kind] = kinds.get(kind, 0) + count
    except duckdb.Error as error:
        raise WarehouseError(
            f"the events could not be recorded: {str(error).splitlines()[0]}",
            where="history.events",
            hint="nothing was appended; the next extract is compared with the same one again",
        ) from error
    return Comparison(previous, kinds, {name: reason for name, _, reason in sources if reason is not None})


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two snapshots to compare; ``evaluated`` is the earlier one with which findings about people are compared."""

    old: str
    evaluated: str | None
    new: Snapshot


@dataclass(frozen=True, slots=True)
class _Step:
    """One source of one snapshot in the chain of its comparisons."""

    snapshot: Snapshot
    source: str
    previous: str | None
    is_compared: bool


def _sources(connection: Connection, snapshot_id: str) -> list[tuple[str, bool, str | None]]:
    """Return the sources of an extract: name, whether it has events, and why it is not complete, None if it is."""
    return connection.execute(saved.statement("watch", "sources"), {"snapshot_id": snapshot_id}).fetchall()


def _together(
    connection: Connection, snapshot_id: str, previous: Mapping[str, str | None]
) -> dict[tuple[str, str | None], list[str]]:
    """Return the sources that are compared with the same snapshots, by these snapshots."""
    found: dict[tuple[str, str | None], list[str]] = {}
    for source, old in sorted(previous.items()):
        if old is not None:
            row = connection.execute(
                saved.statement("watch", "evaluated"),
                {"source": source, "previous_snapshot_id": old, "snapshot_id": snapshot_id},
            ).fetchone()
            found.setdefault((old, row[0] if row else None), []).append(source)
    return dict(sorted(found.items(), key=lambda pair: pair[0][0]))


def _previous(connection: Connection, snapshot_id: str, source: str) -> str | None:
    row = connection.execute(
        saved.statement("watch", "previous"), {"source": source, "snapshot_id": snapshot_id}
    ).fetchone()
    return row[0] if row else None


def _append(connection: Connection, pair: _Pair, sources: Sequence[str], now: datetime) -> dict[str, int]:
    earlier = snapshots.get(connection, pair.old)
    [(last,)] = connection.execute("select coalesce(max(position), 0) from history.events").fetchall()
    values = {"previous_snapshot_id": pair.old, "snapshot_id": pair.new.snapshot_id}
    with comparison.laid_out(connection, pair.old, pair.new.snapshot_id, sources) as real:
        _lay_out_evaluated(connection, real, pair.evaluated)
        connection.execute(f"create table events as {saved.statement('watch', 'events')}", values)
        with database.transaction(connection):  # A transaction can write to one database only: the real one.
            connection.execute(
                f"insert into {real}.history.events by name select $last + place as position, * exclude (place),"
                " $previous_snapshot_id as previous_snapshot_id, $snapshot_id as snapshot_id,"
                " $happened_after as happened_after, $detected_at as detected_at from events",
                values | {"last": last, "happened_after": earlier.started_at, "detected_at": pair.new.finished_at},
            )
            for source in sources:
                _watched(connection, _Step(pair.new, source, pair.old, is_compared=True), now, real=f"{real}.")
        counted = connection.execute("select kind, count(*) from events group by kind order by kind").fetchall()
    return {str(kind): int(count) for kind, count in counted}


def _lay_out_evaluated(connection: Connection, real: str, snapshot_id: str | None) -> None:
    """Copy what findings about people are compared with; without a snapshot, the tables stay empty."""
    connection.execute("create schema evaluated")
    for table, columns in (("accounts", "source, account_id, last_seen_at"), ("register", "finding_id")):
        connection.execute(
            f"create table evaluated.{table} as select {columns} from {real}.history.{table} where snapshot_id = $id",
            {"id": snapshot_id},
        )
    connection.execute(
        "create table evaluated.snapshot as select $id as snapshot_id where $id is not null", {"id": snapshot_id}
    )


def _watched(connection: Connection, step: _Step, now: datetime, *, real: str = "") -> None:
    connection.execute(
        f"insert or replace into {real}meta.watched by name select $snapshot_id as snapshot_id, $source as source,"
        " $previous as previous_snapshot_id, $is_compared as is_compared, count(*) as events, $now as recorded_at"
        f" from {real}history.events where snapshot_id = $snapshot_id and source = $source",
        {
            "snapshot_id": step.snapshot.snapshot_id,
            "source": step.source,
            "previous": step.previous,
            "is_compared": step.is_compared,
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
