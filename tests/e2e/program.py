"""The program as a user runs it: a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.progress import Silent
from pipeline.simulator.server import Simulator

__all__ = ["Outcome", "Silent", "command", "configured_hastily", "run_command", "surroundings"]


@dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str

    @property
    def result(self) -> Any:
        """What ``--json`` gives beside the command, whether it went well, and its warnings."""
        return json.loads(self.stdout)["result"]


def configured_hastily(simulator: Simulator, folder: Path) -> None:
    """Write a configuration that gives up on a source at once, as a test wants to."""
    configuration = simulator.write_files(folder)["access-review.toml"]
    text = configuration.read_text(encoding="utf-8")
    hasty = "[sources.prod]\nmax_attempts = 1\ngive_up_after_seconds = 1\n"
    configuration.write_text(text.replace("[sources.prod]\n", hasty), encoding="utf-8")


def command(*arguments: str) -> list[str]:
    """Return the command line of the program in this checkout."""
    return [sys.executable, "-m", "pipeline", *arguments]


def surroundings(**environment: str) -> dict[str, str]:
    """Return the environment of a process that runs the program: what it needs, and these variables."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2]), **environment}


def run_command(folder: Path, *arguments: str, **environment: str) -> Outcome:
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=surroundings(**environment),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
