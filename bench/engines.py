"""The same build in DuckDB and on a Spark Connect server (Sail in local-cluster mode), with equal findings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import harness, material
from bench.harness import Row, in_child
from bench.warehouse import fresh

_ACCOUNTS = 4_000_000
_QUICK = 20_000
#: Starts Sail on a free port, prints it, and ends with its standard input.
_SERVER = """
from pysail.spark import SparkConnectServer

server = SparkConnectServer()
server.start(background=True)
print(server.listening_address[1], flush=True)
input()
"""
_TICKS = os.sysconf("SC_CLK_TCK")

#: Workers stay while DuckDB works: ending idle ones is for clusters that pay for them. With the buffer of 16 batches
#: that is the default, a task can wait for a reader that waits for the same task, and the statement never ends.
_SETTINGS = {
    "SAIL_MODE": "local-cluster",
    "SAIL_CLUSTER__WORKER_MAX_IDLE_TIME_SECS": "86400",
    "SAIL_CLUSTER__TASK_STREAM_BUFFER": "100000",
    "RUST_LOG": "error",
}


@dataclass(frozen=True)
class Server:
    """A running server: its address and its process."""

    url: str
    process: int

    def peak_mb(self) -> float:
        """Return the most memory that it has held."""
        return harness.peak_mb(self.process)

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        fields = Path(f"/proc/{self.process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


class Stages:
    """The stages of a run and what they measured, in a file: a run in the same folder does not repeat them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}

    def measured(self, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do the work of a stage unless it is done; return what it measured."""
        if name not in self._done:
            print(f"engines: {name} ...", file=sys.stderr, flush=True)
            self._done[name] = work()
            self._path.write_text(json.dumps(self._done))
        result = self._done[name]
        figures = ", ".join(f"{key} {value:,.1f}" for key, value in result.items())
        print(f"engines: {name}: {figures}", file=sys.stderr, flush=True)
        return result


def run(quick: bool, folder: Path) -> list[Row]:
    """Build once in each, from the same landed extract; refuse a difference."""
    accounts = _QUICK if quick else _ACCOUNTS
    work, other = folder / f"engines-{accounts}", folder / f"engines-{accounts}-spark"
    stages = Stages(folder / f"engines-{accounts}.json")
    stages.measured("land", lambda: _landed(folder, accounts, work, other))
    here = stages.measured("build in DuckDB", lambda: _built_here(work))
    there = stages.measured("build on Sail", lambda: _built_there(other))
    findings = [each / "findings.csv" for each in (work, other)]
    assert findings[0].read_bytes() == findings[1].read_bytes(), "the engines do not find the same"
    size = findings[0].stat().st_size / 1e6
    what = f"build of {accounts:,} accounts"
    note = f"{here['cpu_seconds']:.0f} CPU-seconds; findings.csv has the same {size:.1f} MB from both"
    used = f"{there['server_cpu']:.0f} CPU-seconds of the server and {there['cpu_seconds']:.0f} of the program"
    return [
        Row(f"{what} in DuckDB: time", "the clock", [here["seconds"]], "s", None, note),
        Row(f"{what} in DuckDB: peak memory", "-", [here["peak_mb"]], "MB", None),
        Row(
            f"{what} on Sail in local-cluster mode: time",
            "the same in DuckDB",
            [there["seconds"] / here["seconds"]],
            "x",
            None,
            f"{there['seconds']:.0f} s, {used}",
        ),
        Row(f"{what} on Sail: peak memory of the program", "-", [there["peak_mb"]], "MB", None),
        Row(f"{what} on Sail: peak memory of the server", "-", [there["server_mb"]], "MB", None),
    ]


def _landed(folder: Path, accounts: int, work: Path, other: Path) -> dict[str, Any]:
    """Land an extract in the folder of each build."""
    fresh(work)
    shutil.rmtree(folder / f"spool-{accounts}", ignore_errors=True)
    material.configure(work, accounts)
    spool = material.spooled(folder, accounts)
    done = in_child("land", str(work), str(spool))
    shutil.rmtree(spool)
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(work, other)
    return done


def _built_here(work: Path) -> dict[str, Any]:
    done = in_child("build", str(work))
    in_child("findings_csv", str(work), str(work / "findings.csv"))
    return done


def _built_there(work: Path) -> dict[str, Any]:
    with serving() as server:
        done = in_child("build_on_engine", str(work), server.url)
        done |= {"server_mb": server.peak_mb(), "server_cpu": server.cpu_seconds()}
    in_child("findings_csv", str(work), str(work / "findings.csv"))
    return done


@contextmanager
def serving() -> Iterator[Server]:
    """Run Sail as a cluster of workers in a process of its own."""
    environment = os.environ | _SETTINGS
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        yield Server(f"sc://127.0.0.1:{process.stdout.readline().strip()}", process.pid)
        process.kill()
