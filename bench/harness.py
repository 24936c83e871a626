"""How things are measured: contestants take turns, and what is reported is a ratio, its median and its spread.

The machine may be busy with other work, so no single time means much; the ratio of two neighbours in the same round
does. Peak memory is that of a process of its own (``VmHWM``), never of this one.
"""

from __future__ import annotations

import contextlib
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the results. ``values`` are what was measured, round by round, in ``unit``; the median counts.

    ``limit`` is what is to be reached, null for a line that only informs.
    """

    work: str
    against: str
    values: Sequence[float]
    unit: str
    limit: float | None
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return "for information"
        return "pass" if self.median <= self.limit else "**missed**"

    def line(self) -> str:
        reach = "" if self.limit is None else f"<= {_shown(self.limit, self.unit)}"
        spread = f"{_shown(min(self.values), self.unit)} to {_shown(max(self.values), self.unit)}"
        cells = [self.work, self.against, reach, _shown(self.median, self.unit), spread, self.verdict, self.note]
        return f"| {' | '.join(cells)} |"


def alternate(rounds: int, contestants: Mapping[str, Callable[[], float | None]]) -> dict[str, list[float]]:
    """Let each have its turn, round after round; return the seconds of each.

    A contestant that returns a number has measured itself; of the others the whole call counts.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contest in contestants.items():
            gc.collect()
            started = time.perf_counter()
            own = contest()
            seconds[name].append(time.perf_counter() - started if own is None else own)
    return seconds


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return ours over theirs, round by round."""
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def times(seconds: Sequence[float]) -> str:
    """Return the median of some seconds, to be read."""
    return _shown(statistics.median(seconds), "s")


def in_child(*arguments: str) -> dict[str, Any]:
    """Run one job of :mod:`bench.child` in a process of its own; return what it measured of itself."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.child", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def in_child_with_its_own(*arguments: str) -> dict[str, Any]:
    """As :func:`in_child`, for a job that starts processes: ``tree_mb`` is the most memory all had at one moment.

    It is looked at every twentieth of a second. A page that several share is counted once (``Pss``).
    """
    command = [sys.executable, "-m", "bench.child", *arguments]
    peak = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        while child.poll() is None:
            peak = max(peak, sum(map(_pss_mb, _tree(child.pid))))
            time.sleep(0.05)
        result: dict[str, Any] = json.loads(child.stdout.read().splitlines()[-1])
    return result | {"tree_mb": peak}


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # it has ended
                found += map(int, children.read_text().split())
    return found


def _pss_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def peak_mb() -> float:
    """Return the most memory this process has had at once, in MB (10^6 bytes)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("this kernel does not say how much memory a process has had")


def _shown(value: float, unit: str) -> str:
    if unit in {"MB", "ms"}:
        return f"{value:.0f} {unit}"
    return f"{value:.2f} {unit}"
