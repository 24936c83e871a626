"""The monitor of ``watch``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prometheus_client import Metric

from pipeline.clock import Clock, utc_now
from pipeline.errors import AccessReviewError
from pipeline.monitoring import exposition
from pipeline.warehouse import figures
from pipeline.warehouse.figures import Figures
from pipeline.watch.watcher import Tick

__all__ = ["WatchMonitor"]

#: After how many intervals without a successful tick the watcher is not well.
_INTERVALS = 3


@dataclass(slots=True)
class WatchMonitor:
    """What ``watch`` knows about itself. ``every`` is its interval in seconds; ``database`` has the figures.

    A process cannot read the database while another writes it. So the figures are read between the ticks, and kept.
    """

    database: Path
    every: float
    notify: Callable[[str], None]
    clock: Clock = utc_now
    _figures: Figures = field(default_factory=Figures, init=False)
    _results: Counter[str] = field(default_factory=Counter, init=False)
    _started_at: datetime = field(init=False)
    _succeeded_at: datetime | None = field(default=None, init=False)
    _last: Tick | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._started_at = self.clock()
        self._read()

    def ticked(self, tick: Tick) -> None:
        """Take note of a tick that has ended."""
        self._read()
        is_success = tick.exit_code == 0
        self._results["success" if is_success else "failure"] += 1
        self._last = tick
        if is_success:
            self._succeeded_at = self.clock()

    def _read(self) -> None:
        if self.database.exists():
            try:
                self._figures = figures.read(self.database, notify=self.notify)
            except AccessReviewError as error:
                self.notify(f"the metrics are not up to date: {error}")

    def health(self) -> tuple[bool, Mapping[str, Any]]:
        """Return whether a tick succeeded within three intervals; a watcher that has just started has as long."""
        at, limit = self._succeeded_at, timedelta(seconds=self.every * _INTERVALS)
        is_well = self.clock() - (at or self._started_at) <= limit
        document: dict[str, Any] = {
            "status": "ok" if is_well else "failing",
            "last_success_at": None if at is None else at.isoformat(timespec="seconds"),
        }
        if not is_well:
            document["reason"] = f"no tick has succeeded for more than {limit} (three intervals)"
        if self._last is not None and self._last.exit_code:
            document["last_tick"] = {
                "exit_code": self._last.exit_code,
                "errors": [type(error).__name__ for error in self._last.errors],
                "incomplete_sources": sorted(self._last.incomplete),
            }
        return is_well, document

    def metrics(self) -> Sequence[Metric]:
        """Return the metrics of the ticks and of the database."""
        at = self._succeeded_at
        return [
            exposition.program(),
            exposition.counter(
                "ticks",
                "Ticks since the start.",
                "result",
                {name: self._results[name] for name in ("success", "failure")},
            ),
            exposition.gauge(
                "last_successful_tick_timestamp_seconds",
                "End of the last successful tick.",
                None if at is None else at.timestamp(),
            ),
            *exposition.of_database(self._figures, self.clock),
        ]
