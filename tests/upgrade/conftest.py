"""What earlier versions left: a year of use for each version of the tables, in copies that a test may change."""

from __future__ import annotations

import csv
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.program import Outcome, run_command

HERE = Path(__file__).parent
#: Each released version of the lasting tables has a fixture; make_fixture.py makes it.
VERSIONS = sorted(int(path.name.partition("-")[2].partition(".")[0]) for path in HERE.glob("schema-*.tar.xz"))
DATABASE = "access-review.duckdb"


@dataclass(frozen=True)
class Year:
    """A folder with a configuration, a database and report folders, as a year of use left them."""

    folder: Path
    version: int

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    @property
    def copy(self) -> Path:
        """The copy that an upgrade makes."""
        return self.folder / f"{DATABASE}.v{self.version}.bak"

    def __call__(self, *arguments: str, code: int = 0) -> Outcome:
        outcome = run_command(self.folder, *arguments)
        assert outcome.code == code, outcome.stdout + outcome.stderr
        return outcome

    def said(self, name: str) -> list[dict[str, str]]:
        """What the version that made the database said of it."""
        with (self.folder / "said" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def reports(self) -> list[Path]:
        """The sealed folders, in the order in which they were made."""
        manifests = (self.folder / "out").glob("*/manifest.json")
        return sorted(path.parent for path in manifests)


def rows_of(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Ask DuckDB itself, without the program."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="session")
def years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Path]]:
    folders = {version: tmp_path_factory.mktemp(f"schema-{version}") for version in VERSIONS}
    for version, folder in folders.items():
        with tarfile.open(HERE / f"schema-{version}.tar.xz") as archive:
            archive.extractall(folder, filter="data")
    yield folders
    for folder in folders.values():
        shutil.rmtree(folder)


@pytest.fixture
def year_of(years: dict[int, Path], tmp_path: Path) -> Iterator[Callable[[int], Year]]:
    """Return the copy of a year that a test may change; it is large, and deleted at the end."""

    def copied(version: int) -> Year:
        return Year(Path(shutil.copytree(years[version], tmp_path / "year")), version)

    yield copied
    shutil.rmtree(tmp_path / "year", ignore_errors=True)


@pytest.fixture
def first(year_of: Callable[[int], Year]) -> Year:
    """A year of the first version, which did not record one."""
    return year_of(1)
