"""Checks, copies and compacts a database as an administrator does, also beside others who use it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import DatabaseLockedError
from pipeline.warehouse import checkup, upkeep
from tests.machine import killed_after
from tests.upgrade.conftest import Year, rows_of

#: What goes wrong with a database, and what the check says of it.
DAMAGE = {
    "delete from raw.users where ordinal = 3": "raw.users: snapshot 20261015T060000Z-1103 has",
    "insert into raw.roles select * replace ('20200101T000000Z-0000' as snapshot_id) from raw.roles limit 2":
        "raw.roles: 2 rows of the unknown snapshot 20200101T000000Z-0000",
    "delete from meta.builds where snapshot_id = (select min(snapshot_id) from meta.snapshots)":
        "history.accounts: 20 rows of the unknown build",
    "delete from meta.sources where snapshot_id = (select min(snapshot_id) from meta.snapshots)":
        "meta.snapshots: snapshot 20260115T060001Z-e5df has no row in meta.sources",
    "delete from review.campaigns where campaign = '2026-Q2'":
        "review.items: 113 rows of the unknown campaign 2026-Q2",
    "delete from review.items where campaign = '2026-Q3'": "of unknown items of the campaign 2026-Q3",
    "insert into review.decisions select * replace (7 as sequence) from review.decisions limit 1":
        "has 2 decisions; the last one is number 7",
    "delete from meta.reports where snapshot_id = (select min(snapshot_id) from meta.snapshots)":
        "meta.reports: the report of snapshot 20260415T060000Z-21f6 is chained to an unknown manifest",
    "update history.register set first_seen_snapshot_id = 'x'": "findings first seen in the unknown snapshot x",
    "delete from reports.population": "reports.population: 0 rows; the current build made 20",
    "drop table reports.person_access": "reports.person_access: the current build made it, and it is missing",
    "alter table meta.pages drop column attempts": "the lasting tables have other columns",
    "create table raw.odd as select 1 as one": "the lasting tables have other columns",
}  # fmt: skip


@pytest.fixture(scope="module")
def current(years: dict[int, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the year, upgraded and compacted: smaller files are faster to copy."""
    folder = tmp_path_factory.mktemp("current")
    path = folder / "access-review.duckdb"
    path.write_bytes((years[1] / path.name).read_bytes())
    upkeep.upgrade(path, notify=lambda _: None)
    upkeep.compact(path, notify=pytest.fail)
    upkeep.prune_backups(path, notify=pytest.fail)
    return path


@pytest.fixture
def year(current: Path, tmp_path: Path) -> Iterator[Year]:
    (tmp_path / "access-review.toml").write_text("")
    year = Year(tmp_path, 2)
    year.database.write_bytes(current.read_bytes())
    yield year
    year.database.unlink()


def test_the_sizes_of_the_tables_add_up_to_the_used_space(year: Year) -> None:
    checked = year("--json", "database", "check").result

    parts = sum(table["bytes"] for table in checked["tables"])
    used = checked["bytes"] - checked["free_bytes"]
    assert used * 0.8 < parts < used
    assert all(table["bytes"] > 0 for table in checked["tables"] if table["rows"])


@contextmanager
def reader(path: Path) -> Iterator[None]:
    """Let another process read the database meanwhile."""
    program = (
        "import sys, duckdb; c = duckdb.connect(sys.argv[1], read_only=True); print(1, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield
        process.communicate()


def digests(path: Path) -> dict[str, tuple[int, int]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return checkup.readable(connection)[0]


def test_each_kind_of_damage_is_named(current: Path, tmp_path: Path) -> None:
    """One database with all damage, because a check takes a second."""
    path = tmp_path / current.name
    path.write_bytes(current.read_bytes())
    (tmp_path / "access-review.toml").write_text("")
    with duckdb.connect(str(path)) as connection:
        for statement in DAMAGE:
            connection.execute(statement)

    checked = Year(tmp_path, 2)("database", "check", code=4)

    assert [said for said in DAMAGE.values() if said not in checked.stdout] == []
    assert "the database has" in checked.stderr
    path.unlink()


def test_a_block_that_the_disk_has_changed_is_found_and_never_restored(year: Year) -> None:
    good = year.folder / "good.duckdb"
    year("database", "backup", str(good))
    content = bytearray(year.database.read_bytes())
    for start in range(12_288 + 100_000, len(content), 262_144):  # one byte of every block, after three headers
        content[start] ^= 0xFF
    year.database.write_bytes(bytes(content))

    refused = year("database", "restore", str(year.folder / "copy"), code=4)
    assert "the file does not exist" in refused.stderr
    (year.folder / "copy").write_bytes(bytes(content))
    again = Year(year.folder, 2)
    damaged = again("database", "check", code=4)
    assert "cannot be" in damaged.stdout + damaged.stderr or "not a database" in damaged.stderr

    restored = again("database", "restore", str(good))

    assert digests(year.database) == digests(good)
    [kept] = year.folder.glob("*.replaced-*.bak")
    assert str(kept) in restored.stdout
    assert kept.read_bytes() == bytes(content)


def test_a_backup_is_made_beside_a_reader_and_never_overwrites(year: Year) -> None:
    target = year.folder / "backup.duckdb"
    with reader(year.database):
        made = year("database", "backup", str(target))
    assert made.stdout.strip() == str(target)
    assert digests(target) == digests(year.database)
    before = target.read_bytes()
    assert "exists already" in year("database", "backup", str(target), code=2).stderr
    assert target.read_bytes() == before
    assert "cannot be written" in year("database", "backup", "no/such/folder.duckdb", code=4).stderr


def test_a_backup_holds_what_a_killed_process_had_committed(year: Year) -> None:
    """Its changes are beside the database, in a file that the next process reads."""
    killed_after(year.database, "insert into policy.email_domains values ('committed.test')")

    year("database", "backup", "backup.duckdb")

    found = rows_of(year.folder / "backup.duckdb", "from policy.email_domains where email_domain = 'committed.test'")
    assert found == [("committed.test",)]
    assert not Path(f"{year.folder / 'backup.duckdb'}.wal").exists()


def test_compacting_gives_space_back_and_keeps_rows_comments_and_functions(year: Year) -> None:
    with duckdb.connect(str(year.database)) as connection:
        connection.execute("create table raw.big as select uuid()::varchar as text from range(1000000)")
        connection.execute("checkpoint")
        connection.execute("drop table raw.big")
    facts = (
        "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() order by all",
        "select schema_name, table_name, comment from duckdb_tables() order by all",
        "select schema_name, view_name, sql, comment from duckdb_views() where not internal order by all",
        "select schema_name, function_name, parameters from duckdb_functions() where not internal order by all",
        "select constraint_text, table_name from duckdb_constraints() order by all",
        "from review.assigned_items('2026-Q4') order by all",
    )
    before = digests(year.database), [rows_of(year.database, query) for query in facts]

    compacted = year("--json", "database", "compact").result

    assert compacted["bytes"] == year.database.stat().st_size < compacted["bytes_before"] - 10_000_000
    assert (digests(year.database), [rows_of(year.database, query) for query in facts]) == before
    year("review", "status")


def test_nothing_is_replaced_while_another_process_reads(year: Year) -> None:
    year("database", "backup", "backup.duckdb")
    before = year.database.stat()
    with reader(year.database):
        with pytest.raises(DatabaseLockedError):
            upkeep.compact(year.database, notify=lambda _: None, wait=0)
        with pytest.raises(DatabaseLockedError):
            upkeep.restore(year.database, year.folder / "backup.duckdb", notify=lambda _: None, wait=0)

    assert (year.database.stat().st_ino, year.database.stat().st_size) == (before.st_ino, before.st_size)
    assert not list(year.folder.glob("*.bak"))
    assert not list(year.folder.glob(".*.partial"))


def test_a_restore_brings_back_what_the_copy_has(year: Year) -> None:
    year("database", "backup", "backup.duckdb")
    with duckdb.connect(str(year.database)) as connection:
        connection.execute("delete from review.decisions")
    lost = digests(year.database)

    year("database", "restore", "backup.duckdb")

    assert digests(year.database) == digests(year.folder / "backup.duckdb") != lost
    [kept] = year.folder.glob("*.replaced-*.bak")
    assert digests(kept) == lost
    assert year("database", "restore", "access-review.duckdb", code=2).stderr.startswith(
        "error: this is the database"
    )
    (year.folder / "foreign.duckdb").write_text("hello " * 5000)
    assert "not a valid DuckDB database file" in year("database", "restore", "foreign.duckdb", code=4).stderr
    year.database.unlink()
    year("database", "restore", "backup.duckdb")
    assert digests(year.database) == digests(year.folder / "backup.duckdb")
