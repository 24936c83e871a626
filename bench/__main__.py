"""``python -m bench [--quick] [NAME...]``: run the benchmarks and write bench/RESULTS.md."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import httpx

from bench import (
    commands,
    directories,
    engines,
    lookup,
    memory,
    page,
    peers,
    pull,
    reach,
    reports,
    scale,
    shards,
    warehouse,
)
from bench.harness import Row

BENCHMARKS = {
    "latency": pull.latency,
    "memory": memory.run,
    "bytes": pull.bytes_only,
    "land": warehouse.land,
    "build": warehouse.build,
    "reach": reach.run,
    "engines": engines.run,
    "directories": directories.run,
    "csv": warehouse.population_csv,
    "help": commands.help_page,
    "one-table": commands.one_table,
    "csv-module": peers.csv_module,
    "scale": scale.run,
    "dlt": peers.dlt_load,
    "report": reports.run,
    "page": page.run,
    "lookup": lookup.run,
    "shards": shards.run,
}
#: Run only if they are named: each takes an hour or more.
BY_NAME = {"engines", "shards"}
RESULTS = Path(__file__).with_name("RESULTS.md")
#: Written by hand: what was tried for the targets that are missed.
BOUNDS = Path(__file__).with_name("bounds.md")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = f"one of {', '.join(BENCHMARKS)}; default all but {', '.join(sorted(BY_NAME))}"
    parser.add_argument("names", nargs="*", metavar="NAME", help=names)
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds; prints, writes nothing")
    parser.add_argument("--folder", type=Path, help="keep the inputs here; `engines` resumes where it stopped")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark '{unknown[0]}'")
    rows: list[Row] = []
    load = os.getloadavg()[0]
    with _workspace(arguments.folder) as folder:
        for name in arguments.names or [name for name in BENCHMARKS if name not in BY_NAME]:
            started = time.perf_counter()
            found = BENCHMARKS[name](arguments.quick, folder)
            print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
            for row in found:
                print(row.line(), flush=True)
            rows += found
            if (
                not arguments.quick and not arguments.names
            ):  # after each benchmark, so that an interrupted run keeps its results
                RESULTS.write_text(_document(rows, load), encoding="utf-8")


@contextmanager
def _workspace(kept: Path | None) -> Iterator[Path]:
    """Give the folder to keep, or a temporary one."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield Path(folder)


def _document(rows: list[Row], load: float) -> str:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return "\n".join(
        [
            "# Results",
            "",
            "Written by `make bench`; `make bench-quick` prints a small version in under two minutes. Each line was",
            "measured together with what it is compared with, taking turns; the median counts, and the spread goes",
            "from the smallest to the largest of the rounds. All accounts are synthetic.",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), {memory_gb:.0f} GB, "
            f"{platform.system()}, Python {platform.python_version()}, duckdb {duckdb.__version__}, "
            f"httpx {httpx.__version__}; load when it began {load:.1f}, so other work may have shared the machine.",
            "",
            "| work | against | reach | median | spread | verdict | times, and what bounds it |",
            "|---|---|---|---|---|---|---|",
            *(row.line() for row in rows),
            "",
            *(
                ["![Time and peak memory of each stage by number of accounts](scale.svg)", ""]
                * scale.PICTURE.exists()
            ),
            BOUNDS.read_text(encoding="utf-8"),
        ]
    )


if __name__ == "__main__":
    main()
