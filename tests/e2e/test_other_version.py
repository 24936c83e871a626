"""A database of another version of the program: the error says what to do, and a new build repairs it."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.e2e.program import Outcome, run_command
from tests.e2e.remediating import Prepared

DATABASE = "access-review.duckdb"
#: How the database of another version may differ, and a command that reads that part.
CHANGES = {
    "it was built with other SQL": ("update meta.builds set sql_sha256 = 'of another version'", "report"),
    "a table of the reports is missing": ("drop table reports.person_access", "report"),
    "other SQL made other columns": (
        "update meta.builds set sql_sha256 = 'x'; alter table reports.population drop column risk_score",
        "report",
    ),
    "a lasting table is missing": ("drop table review.campaigns", "review status"),
    "a lasting table has fewer columns": ("alter table reference.snapshot drop column reason", "report"),
}
#: In these cases the lasting tables are complete or can be created, so a new build repairs the database.
MENDED_BY_A_BUILD = ("other SQL made other columns", "a lasting table is missing")


@pytest.fixture
def built(prepared: Prepared) -> Path:
    return prepared.built


def changed(built: Path, folder: Path, change: str) -> Outcome:
    shutil.copytree(built, folder, dirs_exist_ok=True)
    statement, command = CHANGES[change]
    with duckdb.connect(str(folder / DATABASE)) as connection:
        connection.execute(statement)
    arguments = ("--format", "csv") if command == "report" else ()
    return run_command(folder, *command.split(), *arguments)


@pytest.mark.parametrize("change", CHANGES)
def test_the_error_says_that_another_version_wrote_the_database(built: Path, tmp_path: Path, change: str) -> None:
    outcome = changed(built, tmp_path, change)

    assert outcome.code == 4, outcome.stderr
    assert "another version" in outcome.stderr
    assert "run 'access-review build' again" in outcome.stderr
    assert "a bug in the program" not in outcome.stderr
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("change", MENDED_BY_A_BUILD)
def test_a_new_build_repairs_the_database(built: Path, tmp_path: Path, change: str) -> None:
    changed(built, tmp_path, change)

    rebuilt = run_command(tmp_path, "build")
    reported = run_command(tmp_path, "report", "--format", "csv")

    assert (rebuilt.code, reported.code) == (0, 0), rebuilt.stderr + reported.stderr


def test_a_table_that_cannot_be_migrated_is_not_reported_as_a_bug(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    with duckdb.connect(str(tmp_path / DATABASE)) as connection:
        connection.execute("alter table history.events drop column state")

    outcome = run_command(tmp_path, "build")

    assert outcome.code == 4, outcome.stderr
    assert "another version" in outcome.stderr
    assert "[warehouse] database" in outcome.stderr
