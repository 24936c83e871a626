"""One tick of watching, and ticks in a row.

Everything is safe to kill. An extract that is cut short leaves nothing; events and the note that they were told are
one transaction; whoever was not told yet is told at the next tick. What a tick could not do, the next one does.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.errors import AccessReviewError, DatabaseLockedError, LoginError, WarehouseError
from pipeline.project import Project
from pipeline.warehouse import database, events, retention, snapshots
from pipeline.watch.sinks import Sink

__all__ = ["Tick", "Watcher", "alone"]

#: How many events are read out of the database at once.
_BATCH = 500
#: A tick begins up to this share of the interval late, and never more than so many seconds: many watchers that were
#: started together, or by the same full hour, do not ask one server at once.
_JITTER, _LONGEST_JITTER = 0.1, 300.0


@dataclass(slots=True)
class Tick:
    """What one tick did. ``compared_with`` is by source; null for a source whose log begins here.

    ``waits`` says why nothing was compared though an extract was made; ``errors`` are what failed, in order.
    """

    started_at: datetime
    snapshot_id: str | None = None
    completeness: str | None = None
    compared_with: Mapping[str, str | None] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)
    waits: str | None = None
    delivered: dict[str, int] = field(default_factory=dict)
    pruned: Sequence[str] = ()
    errors: list[AccessReviewError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Watcher:
    """Watches the sources of one configuration. ``clock`` gives UTC without a zone; ``sleep`` takes seconds."""

    project: Project
    sinks: Sequence[Sink]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC).replace(tzinfo=None)
    sleep: Callable[[float], None] = time.sleep

    def tick(self) -> Tick:
        """Extract, build, compare, tell and thin out. What fails is in the tick's ``errors``; the rest is done."""
        tick = Tick(self.clock())
        for step in (self._look, self._tell, self._thin_out):
            try:
                step(tick)
            except AccessReviewError as error:
                tick.errors.append(error)
        return tick

    def ticks(self, every: float, random: Callable[[], float]) -> Iterator[Tick]:
        """Tick every so many seconds until a login is refused: a password is never tried twice.

        A tick that takes longer than the interval leaves out those that it ran into. ``random`` gives 0 to 1.
        """
        due = self.clock()
        while True:
            tick = self.tick()
            yield tick
            if any(isinstance(error, LoginError) for error in tick.errors):
                return
            now = self.clock()
            while due <= now:
                due += timedelta(seconds=every)
            due = min(due, now + timedelta(seconds=every))  # the clock was set back: nobody waits for it
            late = random() * min(every * _JITTER, _LONGEST_JITTER)
            self.sleep((due - now).total_seconds() + late)

    def _look(self, tick: Tick) -> None:
        extracted = self.project.extract()
        tick.snapshot_id, tick.completeness = extracted.snapshot_id, extracted.completeness
        tick.errors += extracted.failures
        with self._writing() as connection:
            events.note(connection, extracted.snapshot_id, now=self.clock())
        if extracted.is_complete:
            self.project.build(extracted.snapshot_id)
        with self._writing() as connection:
            snapshot = snapshots.get(connection, extracted.snapshot_id)
            compared = events.record(connection, snapshot, now=self.clock())
        if compared is None:
            tick.waits = f"the extract is {extracted.completeness}: {extracted.reason}"
        else:
            tick.compared_with, tick.events = compared.previous, compared.kinds

    def _tell(self, tick: Tick) -> None:
        if not self.project.settings.warehouse.database.exists():
            return  # nothing was ever extracted
        for sink in self.sinks:
            try:
                self._tell_one(sink, tick)
            except AccessReviewError as error:
                tick.errors.append(error)

    def _tell_one(self, sink: Sink, tick: Tick) -> None:
        tick.delivered[sink.name] = 0
        with self._writing() as connection:
            position = sink.position(
                events.last_position(connection, sink.sink_id), lambda at: events.id_at(connection, at)
            )
            waiting = events.pending(connection, position, _BATCH)
        while waiting:
            reached = position

            def done(taken: int) -> None:
                nonlocal reached
                reached = taken

            try:  # the database is closed meanwhile: a receiver may be slow
                sink.deliver(waiting, done)
            finally:
                if reached > position:
                    tick.delivered[sink.name] += reached - position
                    with self._writing() as connection:
                        events.remember(
                            connection, sink_id=sink.sink_id, sink=sink.name, position=reached, now=self.clock()
                        )
                        waiting = events.pending(connection, reached, _BATCH)
                    position = reached

    def _thin_out(self, tick: Tick) -> None:
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
def alone(path: Path) -> Iterator[None]:
    """Hold the right to watch into the database at ``path``; it goes with the process, whatever ends that.

    Raises:
        DatabaseLockedError: another process watches into it.
        WarehouseError: the lock beside it cannot be made.
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
                "another process is watching into this database",
                where=str(path),
                hint="let that one do it, or end it first",
            ) from error
        yield
