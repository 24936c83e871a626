"""A simulated Sisense over real HTTP, and results of it that many tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.simulator.server import Simulator
from pipeline.warehouse import database
from tests.e2e.organisation import Organisation, build_two_sources, described
from tests.e2e.program import Outcome, Silent, configured_for_accounts, configured_hastily, run_command
from tests.e2e.remediating import Case, Prepared

__all__ = ["ACCOUNTS", "SEED", "Finished", "Outcome", "Silent", "configured_hastily", "run_command"]

ACCOUNTS = 500
SEED = 7


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator(ACCOUNTS, SEED) as running:
        yield running


@dataclass(frozen=True)
class Finished:
    """A finished run of the main job. Tests read its files and must not change them."""

    folder: Path
    report: Path
    outcome: Outcome
    simulator: Simulator

    def command(self, *arguments: str) -> Outcome:
        return run_command(self.folder, *arguments)


@pytest.fixture(scope="session")
def finished(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("review")
    simulator.write_files(folder)
    outcome = run_command(folder, "run", ACCESS_REVIEW_PROD_PASSWORD=simulator.password)
    assert outcome.code == 0, outcome.stderr
    return Finished(folder, Path(outcome.stdout.splitlines()[0]), outcome, simulator)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    built, approved = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("approved")
    with Simulator(200, 7) as simulator:
        prepared = Prepared(simulator, built, approved)
        configured_for_accounts(simulator, built)
        first = Case(prepared, built, ())
        first.ok("extract")
        first.ok("build")
        second = Case(prepared, approved, ())
        second.take_build()
        second.plan()
        yield prepared


@pytest.fixture(scope="session")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    folder = tmp_path_factory.mktemp("organisation")
    populations, warnings = build_two_sources(folder)
    with database.sandbox(folder / "access-review.duckdb", notify=pytest.fail) as connection:
        yield described(connection, populations, warnings)


@pytest.fixture
def case(prepared: Prepared, tmp_path: Path) -> Callable[..., Case]:
    return lambda *scenarios: Case(prepared, tmp_path, scenarios)
