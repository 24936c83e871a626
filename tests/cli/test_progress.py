"""What a terminal shows while a stage runs, and at the end."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.progress import Progress

from pipeline.cli.terminal import Terminal
from tests.e2e.conftest import run_command


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def bars(terminal: Terminal) -> list[tuple[str, float, float | None]]:
    progress = terminal._progress
    assert isinstance(progress, Progress)
    return [(task.description, task.completed, task.total) for task in progress.tasks]


def test_a_stage_has_one_bar_which_the_next_stage_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Screen())
    terminal = Terminal()
    with terminal.progress():
        terminal.stage("extract prod")
        terminal.advance("users", 50, 200)
        terminal.advance("groups", 3, 30)
        terminal.advance("users", 100, 200)
        assert bars(terminal) == [("extract prod: users", 103, 230)]
        terminal.advance("roles", 7, None)
        assert bars(terminal) == [("extract prod: roles", 110, 237)]
        terminal.stage("build")
        terminal.advance("staging.users", 0, 40)
        terminal.advance("graph.accounts", 20, 40)
        assert bars(terminal) == [("build: graph.accounts", 20, 40)]
        terminal.stage("report")
        for name in ("population.csv", "access-review.xlsx", "access-review.pdf"):
            terminal.advance(name, 0, None)
        assert bars(terminal) == [("report: access-review.pdf", 0, None)]


def test_a_stage_that_began_before_the_bars_also_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Screen())
    terminal = Terminal()
    terminal.stage("apply")
    with terminal.progress():
        terminal.advance("accounts", 1, 3)
        terminal.advance("accounts", 2, 3)
        assert bars(terminal) == [("apply: accounts", 2, 3)]


def test_a_demo_names_its_smallest_size(tmp_path: Path) -> None:
    refused = run_command(tmp_path, "demo", "--accounts", "19")
    shown = run_command(tmp_path, "demo", "--help")

    assert refused.code == 2
    assert "at least 20" in refused.stderr
    assert "at least 20" in " ".join(shown.stdout.split())
    assert list(tmp_path.iterdir()) == []
