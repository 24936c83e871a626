"""Measures two or more functions alternately, and reports the median and the spread of their ratio.

The machine may be busy with other work, so single times mean little. The ratio of two times of the same round is
reliable. Peak memory is that of a separate process (``VmHWM``), never of this one.
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
    """One line of the results. ``values`` are the measurements of all rounds, in ``unit``; the median counts.

    ``limit`` is the target, or None for a line that only informs.
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
    """Run the contestants alternately, round after round; return the seconds of each.

    A contestant that returns a number has measured itself. For others the duration of the call counts.
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
    """Return the ratio of our time to theirs for each round."""
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def times(seconds: Sequence[float]) -> str:
    """Return the median of these seconds as text."""
    return _shown(statistics.median(seconds), "s")


def in_child(*arguments: str) -> dict[str, Any]:
    """Run one job of :mod:`bench.child` in a separate process; return its measurements."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.child", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def in_child_with_its_own(*arguments: str) -> dict[str, Any]:
    """Run a job that starts processes, like :func:`in_child`; ``tree_mb`` is the peak memory of all together.

    Memory is sampled every twentieth of a second. Shared pages count once (``Pss``).
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
            with contextlib.suppress(OSError):  # the process has ended
                found += map(int, children.read_text().split())
    return found


def _pss_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def peak_mb(pid: int | str = "self") -> float:
    """Return the peak memory of a process in MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("this kernel does not report the peak memory of a process")


def _shown(value: float, unit: str) -> str:
    if unit in {"MB", "ms"}:
        return f"{value:.0f} {unit}"
    return f"{value:.2f} {unit}"
