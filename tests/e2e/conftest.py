"""The program as a user runs it: a process of its own, against a simulator over real HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.simulator.server import Simulator

ACCOUNTS = 2000
SEED = 7


@dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str

    @property
    def result(self) -> Any:
        """What ``--json`` gives beside the command, whether it went well, and its warnings."""
        return json.loads(self.stdout)["result"]


class Silent:
    """The stages' console for nobody."""

    def stage(self, name: str) -> None: ...
    def advance(self, what: str, done: int, total: int | None) -> None: ...
    def note(self, text: str) -> None: ...


def configured_hastily(simulator: Simulator, folder: Path) -> None:
    """Write a configuration that gives up on a source at once, as a test wants to."""
    configuration = simulator.write_files(folder)["access-review.toml"]
    text = configuration.read_text(encoding="utf-8")
    hasty = "[sources.prod]\nmax_attempts = 1\ngive_up_after_seconds = 1\n"
    configuration.write_text(text.replace("[sources.prod]\n", hasty), encoding="utf-8")


def run_command(folder: Path, *arguments: str, **environment: str) -> Outcome:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator(ACCOUNTS, SEED) as running:
        yield running


@dataclass(frozen=True)
class Finished:
    """One run of the main job, finished; tests read what it left and must not change it."""

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
