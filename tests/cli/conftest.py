"""The command line with one small simulated Sisense. Tests must not change what they share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.simulator.server import Simulator
from tests.e2e.conftest import Outcome, run_command


@dataclass(frozen=True)
class Place:
    """A folder with a configuration, and the simulator that it names."""

    folder: Path
    simulator: Simulator

    def __call__(self, *arguments: str, **environment: str) -> Outcome:
        secret = {"ACCESS_REVIEW_PROD_PASSWORD": self.simulator.password}
        return run_command(self.folder, *arguments, **secret, **environment)

    def ok(self, *arguments: str) -> Outcome:
        outcome = self(*arguments)
        assert outcome.code == 0, outcome.stderr
        return outcome


_WRITTEN: set[str] = set()


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator(40, 7) as running:
        yield running


@pytest.fixture
def place(simulator: Simulator, tmp_path: Path) -> Place:
    """Return a place with a configuration and no database."""
    simulator.write_files(tmp_path)
    return Place(tmp_path, simulator)


@pytest.fixture
def copied(built: Place, simulator: Simulator, tmp_path: Path) -> Place:
    """Return a place with one snapshot and its build that the test may change."""
    return Place(shutil.copytree(built.folder, tmp_path, dirs_exist_ok=True), simulator)


@pytest.fixture(scope="session")
def ran(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Outcome]:
    """Return a place with one snapshot, its build and its report, and what the run printed. Tests only read it."""
    place = Place(tmp_path_factory.mktemp("built"), simulator)
    simulator.write_files(place.folder)
    outcome = place.ok("run", "--json", "--quiet", "--format", "csv,html")
    _WRITTEN.update(path.name for path in (place.folder / outcome.result["folder"]).iterdir())
    return place, outcome


@pytest.fixture
def written(ran: tuple[Place, Outcome]) -> frozenset[str]:
    """Return the names in the report folder just after the run: a test may have written other formats since."""
    return frozenset(_WRITTEN)


@pytest.fixture(scope="session")
def built(ran: tuple[Place, Outcome]) -> Place:
    """Return a place with one snapshot and its build, which tests only read."""
    return ran[0]
