"""Ten tenants of a million accounts: landed one by one, then merged and built together, and built one at a time."""

from __future__ import annotations

import csv
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import material
from bench.harness import Row, in_child
from bench.organisation import Organisation
from bench.warehouse import fresh

_TENANTS = tuple(f"t{number}" for number in range(10))
_ACCOUNTS = 1_000_000
_SUBSET = 100_000
_QUICK, _QUICK_SUBSET = 5_000, 2_000
_LIMIT_MB = 6_000
#: The column that names a snapshot: those of a merge have a name of their own.
_SNAPSHOT = "first_seen_snapshot_id"


@dataclass
class Work:
    """Folders of databases: one for each tenant, and one of all. ``done`` has the measurements of each process."""

    folder: Path
    accounts: int
    done: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fresh(self.folder)
        self.tenants = {name: Organisation(self.accounts, tenant=name) for name in _TENANTS}

    def new(self, name: str, *tenants: str) -> Path:
        """Make a folder with the configuration and the roster of these tenants."""
        folder = fresh(self.folder / name)
        material.configure_tenants(folder, {each: self.tenants[each] for each in tenants}, self.tenants)
        return folder

    def run(self, stage: str, *arguments: object) -> None:
        """Run a job in a process of its own, and print what it took: a late failure then leaves the rest."""
        measured = in_child(*map(str, arguments))
        self.done.setdefault(stage, []).append(measured)
        took = f"{measured['seconds']:.0f} s ({measured['cpu_seconds']:.0f} CPU-seconds), {measured['peak_mb']:.0f} MB"
        disk = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file()) / 1e9
        print(f"  {time.strftime('%H:%M:%S')} {stage}: {took}; on disk {disk:.1f} GB", file=sys.stderr, flush=True)

    def land(self, folder: Path, *tenants: str, snapshot_id: str = material.SNAPSHOT) -> None:
        """Land one extract of some tenants; its pages are deleted afterwards, as the program does."""
        spool = self.folder / "spool"
        self.run("make pages", "tenant_spool", spool, self.accounts, *tenants)
        self.run("land", "land", folder, spool, snapshot_id)
        shutil.rmtree(spool)

    def findings(self, folder: Path) -> Path:
        self.run("findings.csv", "findings_csv", folder, folder / "findings.csv")
        return folder / "findings.csv"

    def land_each(self) -> dict[str, Path]:
        """Land each tenant by itself, in a database of its own."""
        folders = {name: self.new(name, name) for name in self.tenants}
        for name, folder in folders.items():
            self.land(folder, name, snapshot_id=_snapshot_id(name))
        return folders

    def build_each(self, folders: dict[str, Path]) -> list[Path]:
        """Build one tenant after the other; return the files of findings."""
        found = []
        for folder in folders.values():
            self.run("build of one", "build", folder)
            found.append(self.findings(folder))
        return found

    def build_merged(self, folders: dict[str, Path]) -> Path:
        """Merge the tenants into one database and build that; return the file of findings."""
        merged = self.new("merged", *self.tenants)
        parts = [
            word
            for name, folder in folders.items()
            for word in (_snapshot_id(name), folder / "bench.duckdb")
        ]
        self.run("merge", "merge", merged, *parts)
        self.run("build of all", "build", merged)
        return self.findings(merged)


def main_for_now(accounts, folder, mode):
    work = Work(folder, accounts)
    folders = work.land_each()
    if "e" in mode:
        each = work.build_each(folders)
    if "m" in mode:
        merged = work.build_merged(folders)
    if "w" in mode:
        whole = work.new("whole", *work.tenants)
        work.land(whole, *work.tenants)
        work.run("build unsharded", "build", whole)
        all_ = work.findings(whole)
        print("merged==whole", "m" in mode and rows(merged) == rows(all_))
        if "e" in mode:
            print("each==whole", rows(*each) == rows(all_), len(rows(all_)))


def _snapshot_id(tenant: str) -> str:
    return f"{material.SNAPSHOT[:-4]}{_TENANTS.index(tenant):04}"


def rows(*paths: Path) -> list[tuple[str, ...]]:
    """Return the rows of files of findings, sorted, without the names of snapshots."""
    found = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as stream:
            found += [tuple(v for k, v in row.items() if k != _SNAPSHOT) for row in csv.DictReader(stream)]
    return sorted(found)

if __name__ == "__main__":
    main_for_now(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
