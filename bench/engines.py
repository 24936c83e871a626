"""The same build in DuckDB and on a Spark Connect server (Sail in local-cluster mode), with equal findings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import material
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


@dataclass(frozen=True)
class Server:
    """A running server: its address and its process."""

    url: str
    process: int

    def peak_mb(self) -> float:
        """Return the most memory that it has held."""
        status = Path(f"/proc/{self.process}/status").read_text(encoding="utf-8")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        fields = Path(f"/proc/{self.process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def run(quick: bool, folder: Path) -> list[Row]:
    """Build once in each, from the same landed extract; refuse a difference."""
    accounts = _QUICK if quick else _ACCOUNTS
    work = fresh(folder / "engines")
    material.configure(work, accounts)
    in_child("land", str(work), str(material.spooled(folder, accounts)))
    other = folder / "engines-spark"
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(work, other)
    here = in_child("build", str(work))
    with serving() as server:
        there = in_child("build_on_engine", str(other), server.url)
        server_mb, server_cpu = server.peak_mb(), server.cpu_seconds()
    findings = [each / "findings.csv" for each in (work, other)]
    for each, path in zip((work, other), findings, strict=True):
        in_child("findings_csv", str(each), str(path))
    assert findings[0].read_bytes() == findings[1].read_bytes(), "the engines do not find the same"
    size = findings[0].stat().st_size / 1e6
    shutil.rmtree(other)
    what = f"build of {accounts:,} accounts"
    note = f"findings.csv has the same {size:.1f} MB from both"
    return [
        Row(f"{what} in DuckDB: time", "the clock", [here["seconds"]], "s", None, note),
        Row(f"{what} in DuckDB: peak memory", "-", [here["peak_mb"]], "MB", None),
        Row(
            f"{what} on Sail in local-cluster mode: time",
            "the same in DuckDB",
            [there["seconds"] / here["seconds"]],
            "x",
            None,
            f"{there['seconds']:.0f} s, of which the server computed {server_cpu:.0f} CPU-seconds",
        ),
        Row(f"{what} on Sail: peak memory of the program", "-", [there["peak_mb"]], "MB", None),
        Row(f"{what} on Sail: peak memory of the server", "-", [server_mb], "MB", None),
    ]


@contextmanager
def serving() -> Iterator[Server]:
    """Run Sail as a cluster of workers in a process of its own."""
    environment = os.environ | {"SAIL_MODE": "local-cluster", "RUST_LOG": "error"}
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        yield Server(f"sc://127.0.0.1:{process.stdout.readline().strip()}", process.pid)
        process.kill()
