"""Progress of the stages: the protocol they report to, and what each of them cost."""

from __future__ import annotations

import resource
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["Progress", "Silent", "StageCost", "StageTimer"]


class Progress(Protocol):
    """Receives the progress of the stages. The command line draws it; a library user may pass their own."""

    def stage(self, name: str) -> None:
        """Begin a stage, which ends the previous one."""

    def advance(self, what: str, done: int, total: int | None) -> None:
        """Report how many of ``what`` are done; ``total`` is None if it is not known."""

    def note(self, text: str) -> None:
        """Report something the user should know: a warning, or the reason for a wait."""


class Silent:
    """Progress that shows nothing."""

    def stage(self, name: str) -> None:
        """Ignore the beginning of a stage."""

    def advance(self, what: str, done: int, total: int | None) -> None:
        """Ignore how much is done."""

    def note(self, text: str) -> None:
        """Ignore a warning."""


@dataclass(frozen=True, slots=True)
class StageCost:
    """The cost of one stage.

    ``seconds`` is wall-clock time, ``rows`` how many rows it read or made. ``peak_memory_mb`` is the most memory the
    process had held by the end of the stage, in MB (10^6 bytes).
    """

    stage: str
    seconds: float
    rows: int
    peak_memory_mb: int


class StageTimer:
    """Progress that passes everything on. It measures each stage until the next one begins, and keeps the notes."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._name: str | None = None
        self._started = 0.0
        self._rows: dict[str, int] = {}
        self.stages: list[StageCost] = []
        self.notes: list[str] = []

    def stage(self, name: str) -> None:
        """Begin a stage, which ends the previous one."""
        self.end()
        self._name, self._started = name, time.perf_counter()
        self._progress.stage(name)

    def advance(self, what: str, done: int, total: int | None) -> None:
        """Pass the count on, and add it to the rows of the stage."""
        self._rows[what] = done
        self._progress.advance(what, done, total)

    def note(self, text: str) -> None:
        """Pass the note on, and keep it."""
        self.notes.append(text)
        self._progress.note(text)

    def end(self, rows: int | None = None) -> None:
        """End the current stage, if there is one; ``rows`` replaces the counts it reported."""
        if self._name is not None:
            seconds = round(time.perf_counter() - self._started, 3)
            counted = sum(self._rows.values()) if rows is None else rows
            self.stages.append(StageCost(self._name, seconds, counted, _peak_memory_mb()))
        self._name = None
        self._rows = {}


def _peak_memory_mb() -> int:
    # On Linux, ru_maxrss starts at the parent's peak at the fork (getrusage(2)); VmHWM belongs to this program alone.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e6)
    unit = 1 if sys.platform == "darwin" else 1024  # macOS reports bytes, Linux KiB
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)
