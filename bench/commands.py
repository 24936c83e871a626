"""Commands whose response time a user notices: the help, and the demo."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.harness import Row, alternate
from bench.warehouse import built

#: As a user starts it.
_PROGRAM = str(Path(sys.executable).with_name("access-review"))


def help_page(quick: bool, _folder: Path) -> list[Row]:
    rounds = 7 if quick else 15
    seconds = alternate(
        rounds,
        {
            "help": lambda: _quietly(_PROGRAM, "--help"),
            "bare": lambda: _quietly(sys.executable, "-c", "pass"),
        },
    )
    bare = statistics.median(seconds["bare"]) * 1000
    return [
        Row(
            "`access-review --help`",
            f"bare interpreter, {bare:.0f} ms",
            [second * 1000 for second in seconds["help"]],
            "ms",
            90,
        )
    ]


def one_table(quick: bool, folder: Path) -> list[Row]:
    """Commands that read one table of a database with a finished build."""
    own = folder / "one-table"
    own.mkdir()
    work = built(own, 2_000)
    program = (_PROGRAM, "--config", str(work / "access-review.toml"))
    seconds = alternate(
        7 if quick else 15,
        {
            "snapshots": lambda: _quietly(*program, "snapshots", "list"),
            "sql": lambda: _quietly(*program, "sql", "select count(*) from graph.accounts"),
            "bare": lambda: _quietly(sys.executable, "-c", "pass"),
        },
    )
    bare = statistics.median(seconds["bare"]) * 1000
    return [
        Row(
            f"`access-review {command}`, 2,000 accounts",
            f"bare interpreter, {bare:.0f} ms",
            [second * 1000 for second in seconds[name]],
            "ms",
            250,
        )
        for name, command in (("snapshots", "snapshots list"), ("sql", "sql QUERY"))
    ]


def demo(quick: bool, folder: Path) -> list[Row]:
    def once() -> None:  # in a new folder: a second run in the same one compares two extracts
        _quietly(_PROGRAM, "demo", "--out", tempfile.mkdtemp(dir=folder))

    seconds = alternate(1 if quick else 5, {"demo": once})["demo"]
    return [Row("`access-review demo`, 2,000 accounts to all reports", "the clock", seconds, "s", 9)]


def _quietly(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
