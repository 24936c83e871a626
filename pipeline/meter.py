"""The meter: what each stage of a run cost, measured by the program itself."""

from __future__ import annotations

import resource
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["Console", "Meter", "Stage"]


class Console(Protocol):
    """Where the stages say how far they are; the command line shows it to a person, or to nobody."""

    def stage(self, name: str) -> None:
        """Begin a stage."""

    def advance(self, what: str, done: int, total: int | None) -> None:
        """Say how much of something is done, of how much if that is known."""

    def note(self, text: str) -> None:
        """Say something a user should know: a warning, or why there is a wait."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage cost. ``peak_memory_mb`` is the most the process had held by its end, in MB (10^6 bytes)."""

    stage: str
    seconds: float
    rows: int
    peak_memory_mb: int


class Meter:
    """A console that passes everything on, and remembers how long each stage took until the next one began."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._name: str | None = None
        self._began = 0.0
        self._rows: dict[str, int] = {}
        self.stages: list[Stage] = []

    def stage(self, name: str) -> None:
        """Begin a stage, and with it end the one before."""
        self.end()
        self._name, self._began = name, time.perf_counter()
        self._console.stage(name)

    def advance(self, what: str, done: int, total: int | None) -> None:
        """Pass it on; what is done of each thing are the rows of the stage, unless :meth:`end` is told them."""
        self._rows[what] = done
        self._console.advance(what, done, total)

    def note(self, text: str) -> None:
        """Pass it on."""
        self._console.note(text)

    def end(self, rows: int | None = None) -> None:
        """End the stage, if there is one; ``rows`` is how many it made."""
        if self._name is not None:
            seconds = round(time.perf_counter() - self._began, 3)
            made = sum(self._rows.values()) if rows is None else rows
            self.stages.append(Stage(self._name, seconds, made, _peak_memory_mb()))
        self._name = None
        self._rows = {}


def _peak_memory_mb() -> int:
    # On Linux ru_maxrss starts at what the parent held when it forked (getrusage(2)); VmHWM is this program's own.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e6)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)
