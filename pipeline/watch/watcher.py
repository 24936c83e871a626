"""Extracts at intervals, records what changed, and sends the changes to the sinks.

A tick is one such round. The process can be killed at any moment: an interrupted extract leaves nothing behind, and
the position of a sink is stored after it has the events. What one tick could not do, the next one does.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.clock import Clock, as_stored, utc_now
from pipeline.errors import AccessReviewError, DatabaseLockedError, LoginError, WarehouseError, exit_code
from pipeline.project import Project
from pipeline.warehouse import database, events, retention, snapshots
from pipeline.watch.sinks import Sink

__all__ = ["Tick", "Watcher", "watch_lock"]

#: How many events are read from the database at once.
_BATCH = 500
#: A tick starts late by a random time: up to this share of the interval, and up to this many seconds. So watchers
#: that were started together do not all contact a server at the same time.
_JITTER, _LONGEST_JITTER = 0.1, 300.0


@dataclass(slots=True)
class Tick:
    """The result of one tick.

    ``compared_with`` has the earlier snapshot of each source, or None for a source whose log of events begins here.
    ``incomplete`` says why a source was not read whole and waits for its next complete extract. ``events`` counts the
    events by kind, ``delivered`` those that each sink took. ``waits`` says why nothing was compared although an
    extract was made. ``errors`` lists what failed, in order.
    """

    started_at: datetime
    snapshot_id: str | None = None
    completeness: str | None = None
    compared_with: Mapping[str, str | None] = field(default_factory=dict)
    incomplete: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)
    waits: str | None = None
    delivered: dict[str, int] = field(default_factory=dict)
    pruned: Sequence[str] = ()
    errors: list[AccessReviewError] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The exit code for this tick alone: 0 if every source was read whole and every sink has the events."""
        is_whole = not (self.waits or self.incomplete)
        return exit_code([0 if is_whole else 3, *(error.exit_code for error in self.errors)])


@dataclass(frozen=True, slots=True)
class Watcher:
    """Watches the sources of one project. ``clock`` returns UTC without a zone; ``sleep`` takes seconds.

    ``refused`` collects the sources that refused a login. They are not contacted again: that could lock the account.
    """

    project: Project
    sinks: Sequence[Sink]
    clock: Clock = lambda: as_stored(utc_now())
    sleep: Callable[[float], None] = time.sleep
    refused: dict[str, LoginError] = field(default_factory=dict, init=False)

    def tick(self) -> Tick:
        """Extract, build, compare, deliver and prune. If a step fails, its error is kept and the next one runs."""
        tick = Tick(self.clock())
        for step in (self._record, self._deliver, self._prune):
            try:
                step(tick)
            except AccessReviewError as error:
                tick.errors.append(error)
        return tick

    def ticks(self, every: float, random: Callable[[], float]) -> Iterator[Tick]:
        """Tick every ``every`` seconds, until each source with events has refused a login.

        A tick that takes longer than the interval skips those that were due meanwhile. ``random`` returns 0 to 1.
        """
        due = self.clock()
        while True:
            tick = self.tick()
            yield tick
            watched = [source for source in self.project.settings.sources if source.kind in ("sisense", "files")]
            if all(source.name in self.refused for source in watched):
                return
            now = self.clock()
            while due <= now:
                due += timedelta(seconds=every)
            due = min(due, now + timedelta(seconds=every))  # the clock may have been set back
            late = random() * min(every * _JITTER, _LONGEST_JITTER)
            self.sleep((due - now).total_seconds() + late)

    def _record(self, tick: Tick) -> None:
        """Extract, build and append what changed to the log of events."""
        unwatched = [source.name for source in self.project.settings.sources if source.kind == "scim"]
        if unwatched:
            self.project.progress.note(f"not watched, because it is a SCIM server: {', '.join(unwatched)}")
        extracted = self.project.extract(refused=self.refused)
        tick.snapshot_id, tick.completeness = extracted.snapshot_id, extracted.completeness
        tick.errors += extracted.failures
        with self._writing() as connection:
            events.note(connection, extracted.snapshot_id, now=self.clock())
            is_comparable = events.has_comparable(connection, extracted.snapshot_id)
        if is_comparable:
            self.project.build(extracted.snapshot_id, allow_partial=True)
        with self._writing() as connection:
            snapshot = snapshots.get(connection, extracted.snapshot_id)
            compared = events.record(connection, snapshot, now=self.clock())
        tick.compared_with, tick.events, tick.incomplete = compared.previous, compared.kinds, compared.incomplete
        if not is_comparable:
            tick.waits = f"the extract is {extracted.completeness}: {extracted.reason}"

    def _deliver(self, tick: Tick) -> None:
        """Send every sink the events that it does not have yet."""
        if not self.project.settings.warehouse.database.exists():
            return  # nothing was ever extracted
        for sink in self.sinks:
            try:
                self._deliver_to(sink, tick)
            except AccessReviewError as error:
                tick.errors.append(error)

    def _deliver_to(self, sink: Sink, tick: Tick) -> None:
        tick.delivered[sink.name] = 0
        with self._writing() as connection:
            position = sink.position(
                events.last_position(connection, sink.sink_id), lambda at: events.id_at(connection, at)
            )
            waiting = events.pending(connection, position, _BATCH, sink.format.select)
        while waiting:
            reached = position

            def done(taken: int) -> None:
                nonlocal reached
                reached = taken

            try:  # the database is closed meanwhile, because a sink may be slow
                sink.deliver(waiting, done)
            finally:
                if reached > position:
                    tick.delivered[sink.name] += reached - position
                    with self._writing() as connection:
                        events.remember(
                            connection, sink_id=sink.sink_id, sink=sink.name, position=reached, now=self.clock()
                        )
                        waiting = events.pending(connection, reached, _BATCH, sink.format.select)
                    position = reached

    def _prune(self, tick: Tick) -> None:
        """Delete the rows of old snapshots that only ``watch`` made."""
        if not self.project.settings.warehouse.database.exists():
            return
        now = self.clock()
        with self._writing() as connection:
            before = now - timedelta(days=self.project.settings.watch.keep_days)
            tick.pruned = retention.prune(connection, before=before, now=now, watched_only=True)

    @contextmanager
    def _writing(self) -> Iterator[database.Connection]:
        with database.writing(
            self.project.settings.warehouse.database, notify=self.project.progress.note
        ) as connection:
            yield connection


@contextmanager
def watch_lock(path: Path) -> Iterator[None]:
    """Hold the lock of the only watcher of the database at ``path``; it ends with the process, however that ends.

    Raises:
        DatabaseLockedError: another process watches with this database.
        WarehouseError: the lock file beside it cannot be made.
    """
    lock = path.with_name(path.name + ".watch.lock")
    try:
        stream = lock.open("w")
    except OSError as error:
        raise WarehouseError(
            f"the lock cannot be made: {error.strerror}", where=str(lock), hint="check the path and its permissions"
        ) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DatabaseLockedError(
                "another process is watching with this database",
                where=str(path),
                hint="use that one, or end it first",
            ) from error
        yield
