"""``watch``: starting, stopping, mistakes, and the timing of its ticks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import LoginError
from pipeline.project import Project
from pipeline.settings import load_settings
from pipeline.simulator.exchange import Call
from pipeline.simulator.server import Simulator
from pipeline.watch.watcher import Watcher
from tests.e2e.conftest import Outcome, configured_hastily, run_command


def once(simulator: Simulator, folder: Path, *arguments: str, **environment: str) -> Outcome:
    secrets = {"ACCESS_REVIEW_PROD_PASSWORD": simulator.password, **environment}
    return run_command(folder, *arguments, **secrets)


def test_a_login_after_the_end_of_employment_is_one_event(tmp_path: Path) -> None:
    with Simulator(100, 7) as simulator:
        configured_hastily(simulator, tmp_path)
        store = simulator.sisense.store
        user = next(
            u for u in store.users if u.get("active") is True and u["_id"] != store.caller_id and u.get("email")
        )
        (tmp_path / "people.csv").write_text(
            f"email,employment_status,end_date\n{user['email']},ended,2026-01-31\n", encoding="utf-8"
        )
        user.pop("lastActivity", None)
        user["lastLogin"] = "2026-01-15T08:00:00.000Z"
        outcomes = [once(simulator, tmp_path, "--json", "watch", "--once")]
        user["lastLogin"] = "2026-03-01T08:00:00.000Z"
        outcomes += [once(simulator, tmp_path, "--json", "watch", "--once") for _ in range(2)]
        user["lastLogin"] = "2026-03-02T08:00:00.000Z"
        outcomes += [once(simulator, tmp_path, "--json", "watch", "--once")]

    assert [outcome.code for outcome in outcomes] == [0, 0, 0, 0]
    found = [outcome.result["events"] for outcome in outcomes]
    assert found == [{}, {"login_after_end": 1}, {}, {"login_after_end": 1}]


def test_a_signal_stops_watching_and_a_second_watcher_is_refused(tmp_path: Path) -> None:
    with Simulator(100, 7) as simulator:
        configured_hastily(simulator, tmp_path)
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "--json", "watch", "--every", "1h"],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "ACCESS_REVIEW_PROD_PASSWORD": simulator.password,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        second = once(simulator, tmp_path, "watch", "--once")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)

    assert json.loads(first)["result"]["compared_with"] == {"prod": None}, "a tick must be one line"
    assert second.code == 4
    assert "another process is watching" in second.stderr
    assert process.returncode == 0, said
    assert said.splitlines()[-1] == "stopped"
    assert not list(tmp_path.glob("*.spool"))


def test_stopping_during_an_extract_leaves_nothing_and_the_next_tick_resumes(tmp_path: Path) -> None:
    with Simulator(100, 7) as simulator:
        configured_hastily(simulator, tmp_path)
        process: subprocess.Popen[str] | None = None

        def stop_it(call: Call) -> bool:
            if process is not None and process.poll() is None and call.path.endswith("/users"):
                process.send_signal(signal.SIGTERM)
            return False

        simulator.sisense.outage = stop_it
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "watch", "--every", "1h"],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "ACCESS_REVIEW_PROD_PASSWORD": simulator.password,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        _, said = process.communicate(timeout=60)
        left = sorted(path.name for path in tmp_path.iterdir() if "duckdb" in path.name)
        after = once(simulator, tmp_path, "--json", "watch", "--once", "--sink", "no-such-folder/events.jsonl")

    assert (process.returncode, said.splitlines()[-1]) == (0, "stopped"), said
    assert left == ["access-review.duckdb.row-key", "access-review.duckdb.watch.lock"]
    assert after.code == 5, "an unwritable file"
    told = after.result
    assert told["compared_with"] == {"prod": None}
    assert [error["exit_code"] for error in told["errors"]] == [5]
    assert "no-such-folder/events.jsonl" in after.stderr


def test_once_exits_with_3_when_a_source_is_down_and_compares_later(tmp_path: Path) -> None:
    with Simulator(100, 7) as simulator:
        configured_hastily(simulator, tmp_path)
        simulator.sisense.outage = lambda _: True
        down = once(simulator, tmp_path, "watch", "--once", "--sink", "events.jsonl")
        simulator.sisense.outage = lambda call: call.path.endswith("/groups")
        partial = once(simulator, tmp_path, "watch", "--once", "--sink", "events.jsonl")
        simulator.sisense.outage = lambda _: False
        whole = once(simulator, tmp_path, "watch", "--once", "--sink", "events.jsonl")

    assert (down.code, partial.code, whole.code) == (3, 3, 0)
    assert "no extract" in down.stdout
    assert "nothing is compared until the next complete extract" in partial.stderr
    assert "the log begins for prod" in whole.stdout


def test_a_refused_password_is_not_retried(tmp_path: Path) -> None:
    with Simulator(100, 7) as simulator:
        configured_hastily(simulator, tmp_path)
        watcher = Watcher(
            Project(load_settings(tmp_path / "access-review.toml"), {"ACCESS_REVIEW_PROD_PASSWORD": "wrong"}),
            [],
            sleep=lambda _: pytest.fail("it tried again"),
        )
        ticks = list(watcher.ticks(3600, lambda: 0.0))

    assert len(ticks) == 1
    assert isinstance(ticks[0].errors[0], LoginError)


@pytest.mark.parametrize(
    ("hours", "late", "slept"),
    [
        # due; the first tick's start and end; the second's, which takes longer than two intervals
        pytest.param((0, 0, 0.25, 1, 3.5), 0.5, [0.75 * 3600 + 150, 0.5 * 3600 + 150], id="rhythm"),
        # due; the first tick's start; its end, three days earlier
        pytest.param((0, 0, -72.0), 0.0, [3600], id="clock set back"),
    ],
)
def test_ticks_keep_their_interval_when_the_clock_changes(
    tmp_path: Path, hours: tuple[float, ...], late: float, slept: list[float]
) -> None:
    found: list[float] = []
    start = datetime(2026, 1, 8)  # noqa: DTZ001 - UTC without a zone
    times = iter(hours)
    with Simulator(100, 7) as simulator:
        configured_hastily(simulator, tmp_path)
        simulator.sisense.outage = lambda _: True
        environment = {"ACCESS_REVIEW_PROD_PASSWORD": simulator.password}
        watcher = Watcher(
            Project(load_settings(tmp_path / "access-review.toml"), environment),
            [],
            clock=lambda: start + timedelta(hours=next(times)),
            sleep=found.append,
        )
        ticks = watcher.ticks(3600, lambda: late)
        for _ in slept:
            next(ticks)
        with pytest.raises((StopIteration, RuntimeError)):  # the clock has no more values
            next(ticks)

    assert found == slept


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("watch",), "add --every 1h, or --once"),
        (("watch", "--every", "soon"), "write 30m, 1h or 1h30m"),
        (("watch", "--once", "--sink", "http://hooks.example.com/x"), "use https"),
        (("watch", "--once", "--sink", "https://me:secret-canary@hooks.example.com"), "without a user name"),
        (("watch", "--once", "--sink", "https://hooks.example.com/x"), "set ACCESS_REVIEW_WEBHOOK_SECRET"),
    ],
)
def test_a_mistake_on_the_command_line_is_reported_before_anything_is_contacted(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    (tmp_path / "access-review.toml").write_text('[sources.prod]\nkind = "sisense"\nurl = "https://bi.invalid"\n')

    outcome = run_command(tmp_path, *arguments)

    assert outcome.code == 2
    assert says in outcome.stderr
    assert "secret-canary" not in outcome.stderr
