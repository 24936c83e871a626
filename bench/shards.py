"""Ten tenants of a million accounts: landed and built one after the other, and the same findings as unsharded.

The equality is shown on tenants that are ten times smaller, because only those fit into one build quickly.
"""

from __future__ import annotations

import csv
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench import material
from bench.harness import Row, in_child
from bench.organisation import Organisation
from bench.warehouse import fresh

_TENANTS = tuple(f"t{number}" for number in range(10))
_ACCOUNTS, _SUBSET = 1_000_000, 100_000
_QUICK, _QUICK_SUBSET = 5_000, 1_000
_LIMIT_MB = 6_000
#: The column that names a snapshot: a merge makes one of its own.
_SNAPSHOT = "first_seen_snapshot_id"


def run(quick: bool, folder: Path) -> list[Row]:
    """Compare the findings of the subset; then land, merge and build all tenants. Refuse a difference."""
    subset = _Customer(folder / "subset", _QUICK_SUBSET if quick else _SUBSET)
    alone, merged, whole = subset.built_alone(subset.landed()), subset.built_merged(), subset.built_whole()
    expected = _rows([whole])
    assert _rows([merged]) == expected, "the tenants have other findings when they are merged"
    assert _rows(alone) == expected, "the tenants have other findings when each is built by itself"
    shutil.rmtree(subset.folder)
    customer = _Customer(folder / "tenants", _QUICK if quick else _ACCOUNTS)
    customer.built_alone(customer.landed())
    customer.merged()
    disk = customer.disk_gb
    shutil.rmtree(customer.folder)
    what = f"ten tenants of {customer.accounts:,} accounts"
    return [
        Row(
            f"ten tenants of {subset.accounts:,} accounts: findings of tenants built one by one, and of merged ones",
            "one extract and one build of all",
            [len(expected)],
            "rows",
            None,
            "the same rows",
        ),
        *(customer.row(what, stage) for stage in ("land", "build", "findings.csv", "merge")),
        Row(f"{what}: disk", "80 GB", [disk], "GB", 80, "all databases and CSV files; pages go when they are landed"),
        Row(f"{what}: largest peak memory of all processes", "6 GB", [customer.peak_mb], "MB", _LIMIT_MB),
    ]


class _Customer:
    """Some tenants, each with a folder, and the measurements of the processes that worked for them."""

    def __init__(self, folder: Path, accounts: int) -> None:
        self.folder, self.accounts = fresh(folder), accounts
        self.tenants = {name: Organisation(accounts, tenant=name) for name in _TENANTS}
        self.done: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.disk_gb = 0.0

    @property
    def peak_mb(self) -> float:
        return max(done["peak_mb"] for stages in self.done.values() for done in stages)

    def row(self, what: str, stage: str) -> Row:
        done = self.done[stage]
        worked = sum(each["cpu_seconds"] for each in done)
        note = f"{sum(each['seconds'] for each in done):.0f} s and {worked:.0f} CPU-seconds in all"
        return Row(f"{what}: peak memory, {stage}", "-", [each["peak_mb"] for each in done], "MB", None, note)

    def landed(self) -> dict[str, Path]:
        """Land each tenant in a database of its own; return the folders."""
        folders = {name: self._configured(name, [name]) for name in self.tenants}
        for name, folder in folders.items():
            self._land(folder, [name], _snapshot_id(name))
        return folders

    def built_alone(self, folders: Mapping[str, Path]) -> list[Path]:
        """Build one tenant after the other; return their files of findings."""
        return [self._built(folder, "build") for folder in folders.values()]

    def merged(self) -> Path:
        """Merge the tenants that were landed into one database; return its folder."""
        merged = self._configured("merged", self.tenants)
        databases = [(_snapshot_id(name), str(self.folder / name / "bench.duckdb")) for name in self.tenants]
        self._run("merge", "merge", str(merged), *(word for pair in databases for word in pair))
        return merged

    def built_merged(self) -> Path:
        return self._built(self.merged(), "build of all")

    def built_whole(self) -> Path:
        """Land all tenants as one extract, and build that; return the file of findings."""
        whole = self._configured("whole", self.tenants)
        self._land(whole, self.tenants, material.SNAPSHOT)
        return self._built(whole, "build of all")

    def _configured(self, name: str, tenants: Iterable[str]) -> Path:
        folder = fresh(self.folder / name)
        material.configure_tenants(folder, {each: self.tenants[each] for each in tenants}, self.tenants)
        return folder

    def _land(self, folder: Path, tenants: Iterable[str], snapshot_id: str) -> None:
        spool = self.folder / "spool"
        in_child("tenant_spool", str(spool), str(self.accounts), *tenants)
        self._run("land", "land", str(folder), str(spool), snapshot_id)
        shutil.rmtree(spool)

    def _built(self, folder: Path, stage: str) -> Path:
        self._run(stage, "build", str(folder))
        found = folder / "findings.csv"
        self._run("findings.csv", "findings_csv", str(folder), str(found))
        return found

    def _run(self, stage: str, *job: str) -> None:
        """Run a job in a process of its own, and print what it took: a failure hours later loses no figure."""
        done = in_child(*job)
        self.done[stage].append(done)
        disk = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file()) / 1e9
        self.disk_gb = max(self.disk_gb, disk)
        took = f"{done['seconds']:.0f} s, {done['cpu_seconds']:.0f} CPU-seconds, {done['peak_mb']:.0f} MB"
        print(f"{time.strftime('%H:%M:%S')} {stage}: {took}; disk {disk:.1f} GB", file=sys.stderr, flush=True)


def _snapshot_id(tenant: str) -> str:
    return f"{material.SNAPSHOT[:-4]}{_TENANTS.index(tenant):04}"


def _rows(files: Iterable[Path]) -> list[list[str]]:
    """Return the rows of files of findings, sorted, without the names of snapshots."""
    found = []
    for path in files:
        with path.open(encoding="utf-8", newline="") as stream:
            found += [[value for name, value in row.items() if name != _SNAPSHOT] for row in csv.DictReader(stream)]
    return sorted(found)
