"""For every behaviour of a server, an extract is complete and true, or PARTIAL with a reason."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from pipeline import ExtractResult, Project, load_settings
from pipeline.errors import AccessReviewError
from pipeline.simulator.server import Simulator
from tests.e2e.program import (
    Forking,
    Outcome,
    configured_for_accounts,
    disable_rules,
    forking,
    run_command,
    surroundings,
)
from tests.search import is_deep

ACCOUNTS = 240


def extracted(folder: Path, simulator: Simulator, *, page_size: int = 50) -> ExtractResult:
    simulator.write_files(folder)
    path = folder / "access-review.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(
            'kind = "sisense"',
            # what the users' lists do to an extract; tests/sources/test_objects.py is about dashboards and models
            f'kind = "sisense"\nobjects = false\npage_size = {page_size}\nmax_attempts = 4\ntimeout_seconds = 2',
        )
    )
    environment = {"ACCESS_REVIEW_PROD_PASSWORD": simulator.password}
    return Project(load_settings(path), environment).extract()


def landed_ids(folder: Path) -> set[str]:
    with duckdb.connect(str(folder / "access-review.duckdb"), read_only=True) as connection:
        rows = connection.execute("select payload ->> '$._id' from raw.users where is_accepted").fetchall()
    return {row[0] for row in rows}


def failed_checks(folder: Path) -> set[str]:
    with duckdb.connect(str(folder / "access-review.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select check_id from meta.reconciliation where is_gate and result = 'FAIL'"
        ).fetchall()
    return {row[0] for row in rows}


@pytest.mark.parametrize(
    "scenarios",
    [
        (),
        ("capped-limit",),
        ("default-page",),
        ("expiring-token",),
        ("flaky",),
        ("rate-limit",),
        ("resets",),
        ("truncated-body",),
        ("no-count",),
        ("roles-under-v1-only",),
        ("display-role-names",),
        ("whole-list",),
        ("short-pages",),
        ("repeats-page",),
        ("drift",),
        ("strict-query",),
        ("json-login",),
        ("v0.9-only",),
        ("v0.9-path",),
        ("tenant-prefix",),
        ("stalls",),
        ("flaky", "expiring-token", "short-pages"),
        ("whole-list", "no-count"),
        ("drift", "no-count", "capped-limit"),
        ("strict-query", "json-login", "roles-under-v1-only", "no-count"),
    ],
    ids="+".join,
)
def test_a_full_extract_equals_the_truth(scenarios: tuple[str, ...], tmp_path: Path) -> None:
    with Simulator(ACCOUNTS, 7, scenarios=scenarios) as simulator:
        result = extracted(tmp_path, simulator)
        truth = set(simulator.sisense.store.by_id)

    assert (result.completeness, result.reason) == ("FULL", None)
    assert landed_ids(tmp_path) == truth


@pytest.mark.parametrize(
    ("scenarios", "checks"),
    [
        (("non-admin",), {"caller_sees_everyone"}),
        (("endless-drift",), {"sweeps_agree"}),
    ],
    ids=lambda value: "+".join(sorted(value)),
)
def test_a_partial_extract_names_the_failed_check(
    scenarios: tuple[str, ...], checks: set[str], tmp_path: Path
) -> None:
    with Simulator(ACCOUNTS, 7, scenarios=scenarios) as simulator:
        result = extracted(tmp_path, simulator)

    assert result.completeness == "PARTIAL"
    assert result.reason
    assert checks <= failed_checks(tmp_path)


def test_a_login_page_instead_of_users_leaves_nothing(tmp_path: Path) -> None:
    with Simulator(ACCOUNTS, 7, scenarios=["html"]) as simulator, pytest.raises(AccessReviewError) as caught:
        extracted(tmp_path, simulator)

    assert caught.value.exit_code == 3
    assert not (tmp_path / "access-review.duckdb").exists()
    assert not list(tmp_path.glob("*.spool"))


def test_a_source_that_fails_does_not_lose_the_others(tmp_path: Path) -> None:
    with Simulator(ACCOUNTS, 7) as simulator:
        simulator.write_files(tmp_path)
        path = tmp_path / "access-review.toml"
        dead = '[sources.dead]\nkind = "sisense"\nurl = "http://127.0.0.1:9"\nusername = "x"\nmax_attempts = 1\n\n'
        path.write_text(dead + path.read_text(encoding="utf-8"), encoding="utf-8")
        environment = {"ACCESS_REVIEW_PROD_PASSWORD": simulator.password, "ACCESS_REVIEW_DEAD_PASSWORD": "x"}
        result = Project(load_settings(path), environment).extract()

    assert [failure.exit_code for failure in result.failures] == [3]
    assert result.completeness == "PARTIAL"
    assert "source 'dead'" in str(result.reason)
    assert len(landed_ids(tmp_path)) == ACCOUNTS


@pytest.mark.search
def test_a_killed_run_keeps_all_earlier_snapshots(tmp_path: Path) -> None:
    with Simulator(ACCOUNTS, 7) as simulator:
        configured_for_accounts(simulator, tmp_path)
        disable_rules(tmp_path)
        environment = {"ACCESS_REVIEW_PROD_PASSWORD": simulator.password}
        assert run_command(tmp_path, "extract", **environment).code == 0
        for moment in (0.2, 0.5, 0.8, 1.0, 1.2, 1.5, 2.0, 2.6) if is_deep() else (0.2, 0.8, 1.2, 2.0):
            victim = subprocess.Popen(
                [sys.executable, "-m", "pipeline", "run"],
                cwd=tmp_path,
                env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin", **environment},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(moment)
            victim.send_signal(signal.SIGKILL)
            victim.wait(timeout=30)
            check = run_command(tmp_path, "--json", "snapshots")
            assert check.code == 0, check.stderr
            assert '"PARTIAL"' not in check.stdout
        after = run_command(tmp_path, "run", "--format", "csv", **environment)

    assert after.code == 0, after.stderr
    assert not list(tmp_path.glob("*.spool"))
    assert not list(tmp_path.glob("out/.*"))
    with duckdb.connect(str(tmp_path / "access-review.duckdb"), read_only=True) as connection:
        counts = connection.execute(
            "select count(distinct payload ->> '$._id') from raw.users where is_accepted group by snapshot_id"
        ).fetchall()
        snapshots = connection.execute("select count(*) from meta.snapshots").fetchall()
    assert {count for (count,) in counts} == {ACCOUNTS}
    assert len(counts) == snapshots[0][0]


def test_two_runs_at_once_both_succeed(tmp_path: Path) -> None:
    with Simulator(ACCOUNTS, 7) as simulator:
        configured_for_accounts(simulator, tmp_path)
        disable_rules(tmp_path)
        environment = surroundings(ACCESS_REVIEW_PROD_PASSWORD=simulator.password)

        def run(forking: Forking) -> Outcome:
            return forking.run(tmp_path, ("run", "--format", "csv"), environment)

        with ThreadPoolExecutor(2) as both:
            ended = list(both.map(run, [forking(), forking()]))

    assert [outcome.code for outcome in ended] == [0, 0], ended
    assert len({outcome.stdout.splitlines()[0] for outcome in ended}) == 2
    assert len(landed_ids(tmp_path)) == ACCOUNTS
