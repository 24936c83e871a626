"""An upgrade, a compaction or a restore that is killed leaves the old database or the new one, whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.warehouse import checkup
from tests.e2e.program import forking, surroundings
from tests.search import is_deep
from tests.upgrade.conftest import DATABASE, Year

#: Ends a process when something has happened in the folder of the database, or after so many seconds.
Moment = Callable[[Path], bool]


def drafts(folder: Path) -> list[Path]:
    found = [path for path in folder.glob(".*.partial") if path.is_file()]
    return [*found, *folder.glob(".*.partial/*")]


def size(paths: list[Path]) -> int:
    with contextlib.suppress(FileNotFoundError):
        return sum(path.stat().st_size for path in paths)
    return 0


#: In the order in which they come.
MOMENTS: dict[str, Moment] = {
    "the copy begins": lambda folder: bool(drafts(folder)),
    "the copy has begun to grow": lambda folder: size(drafts(folder)) > 0,
    "the copy is half done": lambda folder: size(drafts(folder)) > 20_000_000,
    "the copy has its name": lambda folder: bool(list(folder.glob("*.bak"))),
    "the changes are being written": lambda folder: size(list(folder.glob("*.wal"))) > 0,
    "the changes are written": lambda folder: size(list(folder.glob("*.wal"))) > 20_000,
}
#: Seconds after the copy has its name: during the transaction, around its end, and during the checkpoint.
DELAYS = [number / 100 for number in range(0, 60, 2 if is_deep() else 10)]


def killed(year: Year, moment: Moment, delay: float, *arguments: str) -> int:
    """Run a command that is killed at a moment; return its exit code."""

    def strike(process: int) -> None:
        end = time.monotonic() + 60
        while not moment(year.folder) and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(delay)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)

    strikers: list[threading.Thread] = []

    def started(process: int) -> None:
        strikers.append(threading.Thread(target=strike, args=(process,), daemon=True))
        strikers[0].start()

    return forking().run(year.folder, arguments, surroundings(), started).code


def content(path: Path) -> tuple[int, dict[str, tuple[int, int]]]:
    """Return the version of a database, and the number and hash of the rows of all other tables."""
    with duckdb.connect(str(path), read_only=True) as connection:
        digests, damaged = checkup.readable(connection)
    assert damaged == []
    is_recorded = "meta.schema_version" in digests
    return (2 if is_recorded else 1), {
        name: digest for name, digest in digests.items() if name not in {"meta.schema_version", "meta.tables_sql"}
    }


def test_a_killed_upgrade_leaves_the_old_database_or_the_new_one(first: Year, tmp_path: Path) -> None:
    original = Path(shutil.copyfile(first.database, tmp_path / "original"))
    _, rows = content(original)
    versions = set()
    tried = [*((moment, 0.0) for moment in MOMENTS.values())]
    tried += [(MOMENTS["the copy has its name"], delay) for delay in DELAYS]
    for moment, delay in tried:
        killed(first, moment, delay, "database", "upgrade")

        version, found = content(first.database)
        versions.add(version)
        assert found == rows
        for copy in first.folder.glob("*.bak"):
            assert content(copy) == (1, rows)
            copy.unlink()
        if version == 2:
            shutil.copyfile(original, first.database)
            # Changes that were written, but not into the file itself, would count for this one too.
            first.database.with_name(f"{DATABASE}.wal").unlink(missing_ok=True)

    first("database", "upgrade")

    assert 1 in versions
    assert content(first.database) == (2, rows)
    assert content(first.copy) == (1, rows)
    assert not drafts(first.folder)


@pytest.mark.parametrize("command", [("compact",), ("restore", f"{DATABASE}.v1.bak")], ids=" ".join)
def test_a_killed_compaction_or_restore_leaves_a_whole_database(first: Year, command: tuple[str, ...]) -> None:
    first("database", "upgrade")
    _, rows = content(first.database)
    for name in list(MOMENTS)[:3]:
        killed(first, MOMENTS[name], 0.0, "database", *command)
        version, found = content(first.database)
        assert version in {1, 2}
        assert found == rows

    first("database", *command)

    assert content(first.database)[1] == rows
    assert not drafts(first.folder)
