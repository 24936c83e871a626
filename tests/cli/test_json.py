"""``--json``: every command prints one document of the same shape, also when it fails."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cases.case import Case, each
from tests.cli.conftest import Place
from tests.e2e.conftest import Outcome, run_command
from tests.rules import rule

STALE_ACCOUNT = rule("Stale account")

READING = (
    "snapshots",
    "snapshots list",
    "snapshots show",
    "rules list",
    f"rules show {STALE_ACCOUNT}",
    "catalog",
    "sql --list",
    "check",
    "build",
    "report --format csv",
    "remediate plan --stale-days 90 --max-share 100",
    "remediate status",
    "remediate verify",
)


def envelope(outcome: Outcome) -> dict[str, Any]:
    document = json.loads(outcome.stdout)
    assert list(document)[:4] == ["command", "ok", "result", "warnings"]
    assert document["ok"] == (outcome.code == 0)
    assert set(document) - {"command", "ok", "result", "warnings"} == (set() if document["ok"] else {"error"})
    return dict(document)


def keys(value: Any, above: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            # the names of tables and of parameters are the model's own
            if above not in {"rows", "parameters", "columns"}:
                yield key
            yield from keys(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item, above)


@pytest.fixture(scope="module")
def printed(ran: tuple[Place, Outcome]) -> dict[str, Outcome]:
    """Return what each command that needs a build printed."""
    built, run = ran
    return {"run": run, **{command: built(*command.split(), "--json") for command in READING}}


def test_every_command_prints_the_same_shape_with_keys_in_snake_case(printed: dict[str, Outcome]) -> None:
    for command, outcome in printed.items():
        document = envelope(outcome)
        assert outcome.code == 0, outcome.stderr
        assert command.startswith(document["command"])
        wrong = [key for key in keys(document) if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", key)]
        assert wrong == [], command


def test_commands_use_the_same_keys_for_the_same_things(printed: dict[str, Outcome], place: Place) -> None:
    run, build = printed["run"].result, printed["build"].result
    report = printed["report --format csv"].result
    extracted = place.ok("extract", "--json").result

    for key in ("snapshot_id", "build_id", "folder", "accounts"):
        assert run[key] == build[key], key
    assert (run["folder"], run["findings"]) == (report["folder"], report["findings"])
    assert {"snapshot_id", "completeness", "reason"} <= set(run) & set(extracted)
    assert {Path(path).name for path in run["files"]} >= {"population.csv", "manifest.json"}
    assert not any(path.endswith((".pdf", ".xlsx")) for path in run["files"])


def test_booleans_are_booleans(built: Place) -> None:
    rule = built("rules", "show", STALE_ACCOUNT, "--json").result

    assert rule["enabled"] is True
    assert rule["parameters"]["stale_after_days"] == 90


FAILURES = [
    Case("usage", "a command that does not exist", "2", ("remediate", "plann")),
    Case("usage", "an option that does not exist", "2", ("run", "--fail-upon", "high")),
    Case("usage", "no command at all", "2", ()),
    Case("input", "a format that does not exist", "2", ("run", "--format", "docx")),
    Case("configuration", "a configuration that does not exist", "2", ("run", "--config", "none.toml")),
    Case("query", "a query that does not run", "4", ("sql", "selec 1")),
    Case("database", "a snapshot that does not exist", "4", ("snapshots", "show", "x")),
]


@each(FAILURES)
@pytest.mark.parametrize("is_last", [True, False], ids=["after", "before"])
def test_a_failure_is_also_a_document(built: Place, case: Case, is_last: bool) -> None:
    outcome = built(*case.content, "--json") if is_last else built("--json", *case.content)

    error = envelope(outcome)["error"]
    assert outcome.code == error["exit_code"] == int(case.outcome)
    assert set(error) == {"message", "where", "hint", "exit_code"}
    message, where = error["message"], error["where"]
    told = f"{where}: {message}" if where.startswith("--") else f"{message} — {where}" if where else message
    assert outcome.stderr.startswith(f"error: {told}\nhint: {error['hint']}")


def test_a_tripped_gate_keeps_the_result(built: Place, tmp_path: Path) -> None:
    folder = Path(built.ok("report", "--format", "csv", "--out", str(tmp_path)).stdout.splitlines()[0])
    (folder / "findings.csv").write_text("forged\n", encoding="utf-8")

    outcome = built("verify", str(folder), "--json")

    document = envelope(outcome)
    assert outcome.code == 1
    assert document["result"]["problems"]
    assert document["error"]["exit_code"] == 1


def test_warnings_are_in_the_document(place: Place) -> None:
    configuration = place.folder / "access-review.toml"
    second = '[sources.second]\nkind = "sisense"\nurl = "http://127.0.0.1:9"\nusername = "x"\n\n'
    configuration.write_text(second + configuration.read_text(encoding="utf-8"), encoding="utf-8")

    document = envelope(place("extract", "prod", "--json"))

    assert document["warnings"] == ["not extracted: second"]


_BROKEN = """
import sys
from pipeline.cli import main, rules
def list_rules(*_):
    secret = "canary-4711"
    raise RuntimeError("the password is " + secret)
rules.list_rules = list_rules
sys.argv = ["access-review", "rules", *sys.argv[1:]]
main.main()
"""


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_a_bug_writes_a_traceback_without_secrets(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _BROKEN, *options],
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    [file] = tmp_path.glob("access-review-bug-*.txt")
    text = file.read_text(encoding="utf-8")
    assert done.returncode == 70
    assert f"the traceback was written — {file}" in done.stderr
    assert "send this file to the maintainers" in done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "RuntimeError" in text
    assert "in list_rules" in text
    assert "canary-4711" not in text + done.stdout + done.stderr
    if options:
        assert json.loads(done.stdout)["error"]["where"] == str(file)


def test_debug_shows_the_traceback_before_and_after_the_command(tmp_path: Path) -> None:
    for arguments in (("--debug", "run"), ("run", "--debug")):
        assert "Traceback" in run_command(tmp_path, *arguments).stderr
    assert "Traceback" not in run_command(tmp_path, "run").stderr
