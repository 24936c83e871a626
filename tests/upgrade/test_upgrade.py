"""A database and report folders of every earlier version: upgraded, with every figure, signature and chain intact."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
import pytest

from pipeline import Project, WarehouseError, load_settings
from pipeline.warehouse import database, merging, migrations
from tests.machine import full_disk
from tests.upgrade.conftest import VERSIONS, Year, rows_of

EACH = pytest.mark.parametrize("version", VERSIONS)
#: Hash of the columns of all lasting tables in each version. If this test fails after a change of sql/tables.sql, add
#: the next file to sql/migrations with the same change for existing databases, and its line here. Before a release,
#: 'make fixture' keeps a year of use of the new version.
COLUMNS = {2: "21a1fc157f16591cf9cb5b6bd2cef88553831952cfa5d97df8c292651e1094b0"}
#: The columns of all lasting tables, with what the catalog says of them.
LASTING = """
    select schema_name, table_name, column_index, column_name, data_type, is_nullable, comment from duckdb_columns()
    where schema_name in ('meta', 'raw', 'reference', 'policy', 'baseline', 'history', 'review')
    or (schema_name = 'findings' and table_name in ('failed', 'rule_summary', 'unknown_subjects'))
    order by all
"""
CONSTRAINTS = """
    select schema_name, table_name, constraint_text from duckdb_constraints()
    where schema_name in ('meta', 'raw', 'reference', 'policy', 'baseline', 'history', 'review') order by all
"""


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def as_then(rows: list[dict[str, str]], then: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return rows with the columns that an earlier version had: later ones may add some."""
    return [{name: row[name] for name in then[0]} for row in rows]


@EACH
def test_figures_signatures_and_chains_survive(year_of: Callable[[int], Year], version: int) -> None:
    year = year_of(version)
    before = {folder.name: sorted(path.name for path in folder.iterdir()) for folder in year.reports()}

    built = year("build")

    is_upgraded = f"from schema version {version} to {migrations.newest_version()}" in built.stderr
    assert is_upgraded == (version < migrations.newest_version())
    assert rows_of(year.database, "select max(version) from meta.schema_version") == [(migrations.newest_version(),)]
    for table, name in (
        ("history.trend", "trend"),
        ("review.decisions", "decisions"),
        ("review.sign_offs", "sign_offs"),
        ("review.changes", "changes"),
        ("meta.reports", "reports"),
    ):
        then = year.said(name)
        columns = ", ".join(then[0])
        now = csv.DictReader(year("sql", f"select {columns} from {table}", "--format", "csv").stdout.splitlines())
        assert figures(now) == figures(then), table

    written = Path(year("report", "--format", "csv", "--out", "again").stdout.splitlines()[0])
    sealed = year.folder / "out" / written.name
    for name in ("population.csv", "access.csv", "changes.csv"):
        then = read(sealed / name)
        assert as_then(read(year.folder / written / name), then) == then, name
    same = ("finding_id", "rule_id", "severity", "status", "first_seen_snapshot_id")
    rules = {row["rule_id"] for row in read(sealed / "rules.csv")}
    found = [[{name: row[name] for name in same} for row in read(folder / "findings.csv") if row["rule_id"] in rules]
             for folder in (sealed, year.folder / written)]  # fmt: skip
    assert found[0] == found[1]

    assert {folder.name: sorted(path.name for path in folder.iterdir()) for folder in year.reports()} == before
    status = year("--json", "review", "status").result
    assert (status["campaign"], status["is_signed"]) == ("2026-Q4", False)
    assert "no problems" in year("database", "check").stdout


def figures(rows: Iterable[dict[str, str]]) -> list[tuple[str, ...]]:
    """Return the sorted values of rows, but the build: the one of the same snapshot with other SQL replaces them."""
    return sorted(tuple(value for name, value in row.items() if name != "build_id") for row in rows)


@EACH
def test_the_review_goes_on_where_it_was(year_of: Callable[[int], Year], version: int) -> None:
    year = year_of(version)
    earlier = year.reports()
    [returned] = year.folder.glob("returned-packet-*.csv")
    pending = year("database", "upgrade") and [
        item
        for (item,) in rows_of(
            year.database,
            "select item_id from review.assigned_items('2026-Q4') where decision is null order by item_id",
        )
    ]
    returned.write_text("\n".join(["item_id,decision,reason", *(f"{item},keep,seen" for item in pending)]) + "\n")

    year("review", "import", str(returned))
    signed = year("review", "sign-off", "--by", "Cleo Chief", "--email", "chief@example.com", "--role", "CISO")

    [new] = [folder for folder in year.reports() if folder not in earlier]
    assert str(new.name) in signed.stdout
    last = next(folder for folder in earlier if new.name.startswith(f"{folder.name}-signoff"))
    document = json.loads((new / "manifest.json").read_text())
    manifest = hashlib.sha256((last / "manifest.json").read_bytes()).hexdigest()
    assert document["previous_manifest_sha256"] == manifest
    year("verify", str(new))


@EACH
def test_folders_of_every_version_verify_for_ever(years: dict[int, Path], version: int, tmp_path: Path) -> None:
    year = Year(years[version], version)
    known = set()

    for folder in year.reports():
        is_report = (folder / "raw").is_dir()
        rebuild = ("--rebuild",) if is_report and folder.name.startswith("20261015") else ()
        verified = year("verify", str(folder), "--key", "signing-key.pem.pub", *rebuild)
        assert "signature    valid for the key of --key" in verified.stdout
        if rebuild:
            assert "population.csv" in verified.stdout
        manifest = (folder / "manifest.json").read_bytes()
        previous = json.loads(manifest)["previous_manifest_sha256"]
        assert previous is None or previous in known, folder.name
        known.add(hashlib.sha256(manifest).hexdigest())
    assert len(known) == 8
    for stamp in year.folder.glob("out/*/manifest.json.tsr"):
        verified = year("verify", str(stamp.parent), "--tsa-certificate", "tsa-root.pem")
        assert "valid for the certificate of --tsa-certificate" in verified.stdout

    changed = Path(shutil.copytree(year.reports()[0], tmp_path / "changed"))
    with (changed / "population.csv").open("a", encoding="utf-8") as stream:
        stream.write("\n")
    assert "population.csv: has been changed" in year("verify", str(changed), code=1).stdout


@EACH
def test_an_upgraded_database_has_the_tables_of_a_new_one(
    year_of: Callable[[int], Year], version: int, tmp_path: Path
) -> None:
    year, new = year_of(version), tmp_path / "new.duckdb"
    with database.writing(new, notify=pytest.fail):
        pass

    year("database", "upgrade")

    assert rows_of(year.database, LASTING) == rows_of(new, LASTING)
    assert rows_of(year.database, CONSTRAINTS) == rows_of(new, CONSTRAINTS)
    versions = [number for (number,) in rows_of(year.database, "select version from meta.schema_version order by 1")]
    assert versions == list(range(max(version, 2), migrations.newest_version() + 1))  # version 1 recorded none
    assert rows_of(new, "select version from meta.schema_version") == [(migrations.newest_version(),)]


def test_a_change_of_a_lasting_table_comes_with_a_migration() -> None:
    """Views and functions need none: tables.sql replaces them whenever it changes."""
    with database.in_memory() as connection:
        tables = set(connection.execute("select schema_name, table_name from duckdb_tables()").fetchall())
        lasting = [row for row in connection.execute(LASTING).fetchall() if row[:2] in tables]
        columns = [row[:2] + row[3:6] for row in lasting]

    digest = hashlib.sha256(repr(sorted(columns)).encode()).hexdigest()

    assert digest == COLUMNS[migrations.newest_version()], digest


def test_every_earlier_version_is_kept() -> None:
    assert set(range(1, migrations.newest_version())) <= set(VERSIONS), "run 'make fixture' in a checkout of it"


@pytest.mark.parametrize(
    "command",
    [
        ("snapshots",),
        ("sql", "select 1"),
        ("report", "--format", "csv"),
        ("report", "--snapshot", "20260115T060001Z-e5df", "--format", "csv"),
        ("review", "status"),
        ("remediate", "plan", "--stale-days", "90", "--out", "new-plan.json"),
    ],
    ids=" ".join,
)
def test_commands_that_only_read_say_how_to_upgrade(first: Year, command: tuple[str, ...]) -> None:
    before, files = first.database.read_bytes(), sorted(first.folder.rglob("*"))

    refused = first(*command, code=4)

    assert "the database has schema version 1" in refused.stderr
    assert "hint: run 'access-review database upgrade'" in refused.stderr
    assert first.database.read_bytes() == before
    assert sorted(first.folder.rglob("*")) == files


def test_rows_are_not_merged_from_a_database_of_another_version(years: dict[int, Path]) -> None:
    old = years[1] / "access-review.duckdb"
    with (
        database.in_memory() as connection,
        pytest.raises(WarehouseError, match="the database has schema version 1") as caught,
        merging.attached(connection, [old]),
    ):
        pytest.fail("it was attached")

    assert "database upgrade" in caught.value.hint


def test_the_library_upgrades_as_the_command_line_does(first: Year) -> None:
    project = Project(load_settings(first.folder / "access-review.toml"))
    with pytest.raises(WarehouseError) as caught:
        project.query("select 1 as one")

    built = project.build()

    assert "database upgrade" in caught.value.hint
    assert any(str(first.copy) in warning for warning in built.warnings)
    [(rows,)] = project.query("select count(*) from reports.population").rows()
    assert rows == len(first.said("population"))


def test_the_copy_is_the_database_from_before(first: Year) -> None:
    before = first.database.read_bytes()

    first("database", "upgrade")

    assert first.copy.read_bytes() == before
    assert first.copy.stat().st_mode == first.database.stat().st_mode
    assert "nothing to upgrade" in first("database", "upgrade").stdout
    assert str(first.copy) in first("database", "prune-backups").stdout
    assert not first.copy.exists()
    assert first("database", "prune-backups").stdout == ""


def test_a_newer_database_is_refused_and_left_alone(first: Year) -> None:
    first("database", "upgrade")
    with duckdb.connect(str(first.database)) as connection:
        connection.execute("insert into meta.schema_version values (99, '2030-01-01', '7.8.9')")
    before = first.database.read_bytes()

    for command in (("snapshots",), ("build",), ("database", "upgrade"), ("database", "restore", "x.duckdb")):
        shutil.copyfile(first.database, first.folder / "x.duckdb")
        refused = first(*command, code=4)
        assert "schema version 99, made by version 7.8.9 of the program" in refused.stderr
        assert "install version 7.8.9" in refused.stderr
    assert first.database.read_bytes() == before


def test_a_migration_that_does_not_fit_leaves_the_database_as_it_was(first: Year) -> None:
    with duckdb.connect(str(first.database)) as connection:
        connection.execute("alter table history.events drop column state")
    tables = rows_of(first.database, LASTING)

    refused = first("build", code=4)

    assert "another version" in refused.stderr
    assert rows_of(first.database, LASTING) == tables
    assert rows_of(first.copy, LASTING) == tables


def test_without_room_for_the_copy_nothing_changes(first: Year) -> None:
    with (
        full_disk(50_000_000),
        pytest.raises(WarehouseError, match="cannot be copied: File too large") as caught,
        database.writing(first.database, notify=lambda _: None),
    ):
        pytest.fail("it was opened")

    assert caught.value.exit_code == 4
    assert not [path for path in first.folder.iterdir() if path.name.endswith((".bak", ".partial"))]
    assert rows_of(first.database, "select count(*) from duckdb_tables() where table_name = 'schema_version'") == [
        (0,)
    ]
