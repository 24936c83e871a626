"""Metrics and health of ``watch`` and ``review serve``, as a monitoring system reads them."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO, cast

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.errors import UnreachableError
from pipeline.monitoring.endpoint import MetricsListener
from pipeline.monitoring.watching import WatchMonitor
from pipeline.simulator.server import Simulator
from pipeline.watch.watcher import Tick
from tests.e2e.program import command, configured_hastily, run_command, surroundings
from tests.e2e.remediating import Case
from tests.e2e.serving import ServedReview, free_port

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(url: str) -> Samples:
    """Return the samples of an exposition by name and label values."""
    answer = httpx.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_watch_answers_with_metrics_that_agree_with_the_database(tmp_path: Path) -> None:
    with Simulator(100, 7) as simulator:
        configured_hastily(simulator, tmp_path)
        process = subprocess.Popen(
            command("watch", "--every", "1h", "--metrics", "0"),
            cwd=tmp_path,
            env=surroundings(ACCESS_REVIEW_PROD_PASSWORD=simulator.password),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        stdout, stderr = cast("TextIO", process.stdout), cast("TextIO", process.stderr)
        found = re.fullmatch(r"metrics at (http://127\.0\.0\.1:\d+)/metrics\n", stderr.readline())
        assert found
        stdout.readline()  # the first tick has ended
        while not (told := samples(f"{found[1]}/metrics"))["access_review_ticks_total", ("success",)]:
            assert process.poll() is None
        health = httpx.get(f"{found[1]}/healthz")
        missing = httpx.get(f"{found[1]}/elsewhere").status_code
        sql = "select severity, count(*) as n from findings.register where status = 'open' group by all"
        findings = run_command(tmp_path, "--json", "sql", sql).result
        sql = "select sum(attempts) as requests, count(*) as pages from meta.pages"
        [pages] = run_command(tmp_path, "--json", "sql", sql).result
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)

    assert process.returncode == 0, said
    counted = {labels[0]: count for (name, labels), count in told.items() if name == "access_review_findings"}
    found_open = {row["severity"]: row["n"] for row in findings}
    assert {severity: count for severity, count in counted.items() if count} == found_open
    assert set(counted) == {"critical", "high", "medium", "low", "info"}
    assert told["access_review_requests_total", ("prod",)] == int(pages["requests"])
    assert told["access_review_retries_total", ("prod",)] == int(pages["requests"]) - int(pages["pages"])
    assert 0 <= told["access_review_last_complete_extract_age_seconds", ()] < 300
    assert told["access_review_source_last_complete_extract_timestamp_seconds", ("prod",)] > 1.7e9
    assert (health.status_code, health.json()["status"], missing) == (200, "ok", 404)


@pytest.mark.parametrize(
    ("later", "failures", "status"),
    [(timedelta(hours=3), 0, 200), (timedelta(hours=3, seconds=1), 0, 503), (timedelta(hours=2), 2, 200)],
    ids=["just in time", "no tick ended", "failures"],
)
def test_a_watcher_is_well_while_a_tick_succeeded_within_three_intervals(
    tmp_path: Path, later: timedelta, failures: int, status: int
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    monitor = WatchMonitor(tmp_path / "none.duckdb", 3600, pytest.fail, clock=lambda: now)
    monitor.ticked(Tick(now))
    now += later
    for _ in range(failures):
        error = UnreachableError("no answer", where="ann@example.com", hint="")
        monitor.ticked(Tick(now, errors=[error], incomplete={"prod": "ann@example.com"}))
    listener = MetricsListener("0")
    with listener.serving(monitor):
        answer = httpx.get(listener.url.replace("/metrics", "/healthz"))

    assert answer.status_code == status
    assert ("reason" in answer.json()) == (status == 503)
    assert "example.com" not in answer.text
    if failures:
        expected = {"exit_code": 3, "errors": ["UnreachableError"], "incomplete_sources": ["prod"]}
        assert answer.json()["last_tick"] == expected


def test_the_page_has_its_metrics_at_an_address_of_their_own(case: Callable[..., Case]) -> None:
    made = case()
    made.take_build()
    made.ok("review", "open", "--name", "2026-Q4", "--reviewer", "ciso@example.com", "--scope", "privileged")
    port = free_port()
    with ServedReview(made.folder, free_port(), "--metrics", str(port)) as served:
        public = [httpx.get(f"{served.url}{path}") for path in ("/metrics", "/healthz")]
        told = samples(f"http://127.0.0.1:{port}/metrics")
        health = httpx.get(f"http://127.0.0.1:{port}/healthz")

    assert not [answer for answer in public if answer.is_success or "access_review" in answer.text]
    assert sum(value for (name, _), value in told.items() if name == "access_review_http_answers_total") == 2
    assert sum(value for (name, _), value in told.items() if name == "access_review_findings") > 0
    assert (health.status_code, health.json()) == (200, {"status": "ok"})


def test_an_address_that_cannot_be_used_is_an_error_before_anything_is_contacted(tmp_path: Path) -> None:
    (tmp_path / "access-review.toml").write_text('[sources.prod]\nkind = "files"\npath = "."\n')
    port = free_port()
    with MetricsListener(f"127.0.0.1:{port}").serving(WatchMonitor(tmp_path / "none", 60, pytest.fail)):
        taken = run_command(tmp_path, "watch", "--every", "1h", "--metrics", f"127.0.0.1:{port}")
    wrong = run_command(tmp_path, "watch", "--every", "1h", "--metrics", "soon")
    once = run_command(tmp_path, "watch", "--once", "--metrics", "9464")

    assert (taken.code, wrong.code, once.code) == (2, 2, 2)
    assert "--metrics" in taken.stderr
    assert "write 9464 or 127.0.0.1:9464" in wrong.stderr
    assert "--metrics needs --every" in once.stderr
    assert not (tmp_path / "access-review.duckdb").exists()
