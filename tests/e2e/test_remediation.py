"""Acting on a Sisense: exactly the planned accounts change, and a later extract proves it."""

from __future__ import annotations

import csv
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse, Response

from pipeline.simulator.exchange import Call, Proceed
from pipeline.simulator.server import Simulator
from tests.e2e.conftest import Outcome, run_command

APPROVER = ("--by", "Ann Ek", "--email", "ann@example.com")
OPERATOR = ("--by", "Bo Dahl", "--email", "bo@example.com")


class Case:
    """A simulator of one's own with an extract of it, and the command line."""

    def __init__(self, simulator: Simulator, folder: Path) -> None:
        self.simulator = simulator
        self.folder = folder
        self.store = simulator.sisense.store
        simulator.write_files(folder)

    def command(self, *arguments: str) -> Outcome:
        return run_command(self.folder, *arguments, ACCESS_REVIEW_PROD_PASSWORD=self.simulator.password)

    def ok(self, *arguments: str) -> Outcome:
        outcome = self.command(*arguments)
        assert outcome.code == 0, outcome.stderr
        return outcome

    def planned(self) -> list[str]:
        plan = json.loads((self.folder / "remediation-plan.json").read_text())
        return [change["account_id"] for change in plan["changes"]]

    def prepare(self) -> list[str]:
        self.ok("extract")
        self.ok("build")
        self.ok("remediate", "plan", "--stale-days", "90")
        self.ok("remediate", "approve", "remediation-plan.json", *APPROVER)
        return self.planned()

    def inactive(self) -> set[str]:
        return {user["_id"] for user in self.store.users if user.get("active") is False}

    def changes_sent(self) -> list[tuple[str, str]]:
        return [
            (entry.method, entry.path)
            for entry in self.simulator.sisense.log
            if entry.method != "GET" and not entry.path.endswith("login")
        ]


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Callable[..., Case]]:
    with ExitStack() as stack:
        yield lambda *scenarios: Case(stack.enter_context(Simulator(400, 7, scenarios=scenarios)), tmp_path)


def test_unused_accounts_are_switched_off_and_nothing_else_happens(case: Callable[..., Case]) -> None:
    at = case()
    before = {user["_id"]: dict(user) for user in at.store.users}
    off_before = at.inactive()
    planned = at.prepare()

    applied = at.ok("remediate", "apply", "remediation-plan.json", *OPERATOR, "--yes")
    verified = at.ok("remediate", "verify")

    assert planned
    assert at.inactive() - off_before == set(planned)
    changed = {user["_id"] for user in at.store.users if user != before[user["_id"]]}
    assert changed == set(planned)
    assert len(before) == len(at.store.users)
    assert at.changes_sent() == [("PATCH", f"/api/v1/users/{account}") for account in planned]
    assert f"{len(planned)} applied" in applied.stderr
    folder = Path(verified.stdout.splitlines()[0]).parent
    with (at.folder / folder / "remediation.csv").open() as file:
        assert {row["account_id"]: row["verified_state"] for row in csv.DictReader(file)} == dict.fromkeys(
            planned, "removed_verified"
        )
    at.ok("verify", str(folder))
    assert at.ok("remediate", "plan", "--stale-days", "90").stdout.strip() == "nothing to change"


@pytest.mark.parametrize("scenario", ["write-then-504", "write-then-cut"])
def test_a_change_that_was_made_and_denied_is_found_by_reading_back(case: Callable[..., Case], scenario: str) -> None:
    at = case(scenario)
    off_before = at.inactive()
    planned = at.prepare()

    at.ok("remediate", "apply", "remediation-plan.json", *OPERATOR, "--yes")

    assert at.inactive() - off_before == set(planned)
    assert len(at.changes_sent()) == len(planned)


def test_a_change_that_was_confirmed_and_does_not_show_is_unclear_and_can_be_tried_again(
    case: Callable[..., Case],
) -> None:
    at = case("write-ignored")
    off_before = at.inactive()
    planned = at.prepare()

    first = at.command("remediate", "apply", "remediation-plan.json", *OPERATOR, "--yes")
    document = at.ok("--json", "remediate", "status").result

    assert first.code == 3
    assert {c["state"] for c in document["changes"]} == {"applied", "unclear"}
    assert at.inactive() - off_before == {c["account_id"] for c in document["changes"] if c["state"] == "applied"}
    assert {c["account_id"] for c in document["changes"]} == set(planned)


def test_a_server_that_refuses_active_is_called_so_and_the_rest_is_left_alone(case: Callable[..., Case]) -> None:
    at = case("no-active-in-patch")
    off_before = at.inactive()
    at.prepare()

    outcome = at.command("remediate", "apply", "remediation-plan.json", *OPERATOR, "--yes")

    assert outcome.code == 3
    assert "does not take 'active' over the API" in outcome.stdout
    assert len(at.changes_sent()) == 3
    assert at.inactive() == off_before


def test_who_approved_does_not_apply_and_a_changed_plan_is_not_approved(case: Callable[..., Case]) -> None:
    at = case()
    at.prepare()
    file = at.folder / "remediation-plan.json"

    same = at.command("remediate", "apply", file.name, "--by", "A", "--email", "ANN@example.com", "--yes")
    document = json.loads(file.read_text())
    document["changes"][0]["reason"] = "another"
    file.write_text(json.dumps(document))
    changed = at.command("remediate", "apply", file.name, *OPERATOR, "--yes")

    assert (same.code, changed.code) == (1, 1)
    assert "may not apply it" in same.stderr
    assert "another version" in changed.stderr
    assert at.changes_sent() == []


@pytest.mark.parametrize("who", [("--by", "", "--email", "a@example.com"), ("--by", "Ann", "--email", "ann")])
def test_nobody_in_particular_neither_approves_nor_applies(case: Callable[..., Case], who: tuple[str, ...]) -> None:
    at = case()
    at.prepare()

    approved = at.command("remediate", "approve", "remediation-plan.json", *who)
    applied = at.command("remediate", "apply", "remediation-plan.json", *who, "--yes")

    assert (approved.code, applied.code) == (2, 2)
    assert at.changes_sent() == []


def test_what_changed_since_the_plan_is_skipped_and_said(case: Callable[..., Case]) -> None:
    at = case()
    planned = at.prepare()
    at.store.put({**at.store.by_id[planned[0]], "lastLogin": "2026-11-25T10:00:00.000Z"})

    outcome = at.ok("remediate", "apply", "remediation-plan.json", *OPERATOR, "--yes")

    assert "changed since the plan: it has logged in" in outcome.stdout
    assert planned[0] not in at.inactive()


def test_undo_sets_back_what_was_changed(case: Callable[..., Case]) -> None:
    at = case()
    off_before = at.inactive()
    at.prepare()
    at.ok("remediate", "apply", "remediation-plan.json", *OPERATOR, "--yes")

    at.ok("remediate", "undo", "remediation-plan.json")
    at.ok("remediate", "approve", "undo-plan.json", *APPROVER)
    at.ok("remediate", "apply", "undo-plan.json", *OPERATOR, "--yes")

    assert at.inactive() == off_before
    at.ok("remediate", "verify")


def test_too_many_accounts_are_refused(case: Callable[..., Case]) -> None:
    at = case()
    at.ok("extract")
    at.ok("build")

    outcome = at.command("remediate", "plan", "--stale-days", "1")

    assert outcome.code == 1
    assert "more than 10 %" in outcome.stderr
    assert not (at.folder / "remediation-plan.json").exists()


def test_a_build_as_of_a_day_to_come_is_no_ground_for_a_plan(case: Callable[..., Case]) -> None:
    at = case()
    at.ok("extract")
    at.ok("build", "--as-of", "2100-01-01")

    outcome = at.command("remediate", "plan", "--stale-days", "90", "--max-share", "100")

    assert outcome.code == 1
    assert "judges as of 2100-01-01" in outcome.stderr
    assert not (at.folder / "remediation-plan.json").exists()


def test_a_plan_over_an_extract_that_has_grown_too_old_is_not_applied(case: Callable[..., Case]) -> None:
    at = case()
    at.ok("extract")
    at.ok("build")
    at.ok("remediate", "plan", "--stale-days", "90", "--max-age-hours", "1")
    file = at.folder / "remediation-plan.json"
    document = json.loads(file.read_text())
    document["basis"]["extracted_at"] = "2026-01-01T00:00:00Z"
    file.write_text(json.dumps(document))
    at.ok("remediate", "approve", file.name, *APPROVER)

    outcome = at.command("remediate", "apply", file.name, *OPERATOR, "--yes")

    assert outcome.code == 1
    assert "too old to be applied" in outcome.stderr
    assert "may be 1" in outcome.stderr
    assert at.changes_sent() == []


def test_what_a_killed_run_did_is_verified_and_is_in_the_next_report(case: Callable[..., Case]) -> None:
    at = case()
    planned = at.prepare()
    killing = Killing(at, [("", "made"), ("", "kill")])
    apply = ["remediate", "apply", "remediation-plan.json", *OPERATOR, "--yes"]
    environment = {**os.environ, "ACCESS_REVIEW_PROD_PASSWORD": at.simulator.password}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", *apply],
        cwd=at.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        killing.victim = running.pid
        assert running.wait(timeout=120) == -signal.SIGKILL
    first, second = (at.store.by_id[path.rpartition("/")[2]] for _, path in at.changes_sent())
    # between the kill and the proof somebody switches the first one on again
    at.store.put({**first, "active": True})

    verified = at.command("--json", "remediate", "verify")

    assert verified.code == 1
    document = verified.result
    assert document["verdicts"] == {
        "removed_verified": 1, "still_present": 1, "reappeared": 0, "not_verifiable": 0,
    }  # fmt: skip
    with (at.folder / document["files"][0]).open() as file:
        verdicts = {row["account_id"]: (row["state"], row["verified_state"]) for row in csv.DictReader(file)}
    assert verdicts == {first["_id"]: ("applied", "still_present"), second["_id"]: ("unclear", "removed_verified")}
    assert set(verdicts) <= set(planned)
    page = (at.folder / document["report_folder"] / "access-review.html").read_text(encoding="utf-8")
    section = page.partition('<section id="remediation">')[2].partition("</section>")[0]
    assert "1 of 2 changes sent before this extract is not proven done" in section
    assert "not done: still present" in section
    assert "Ann Ek" in section
    assert "Bo Dahl" in section


def answered(at: Case, answer: bytes, *arguments: str) -> Outcome:
    """Run a command with somebody at its terminal, who types an answer."""
    theirs, ours = pty.openpty()
    os.write(theirs, answer)
    environment = {**os.environ, "ACCESS_REVIEW_PROD_PASSWORD": at.simulator.password}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=at.folder, env=environment, stdin=ours, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    finally:
        os.close(theirs)
        os.close(ours)
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_whoever_is_asked_and_says_no_has_changed_nothing(case: Callable[..., Case]) -> None:
    at = case()
    at.prepare()
    apply = ("remediate", "apply", "remediation-plan.json", *OPERATOR)

    nobody = at.command(*apply)
    refused = answered(at, b"n\n", *apply)

    assert (nobody.code, refused.code) == (2, 1)
    assert "error: it was not confirmed" in refused.stderr
    assert "interrupted" not in refused.stderr
    assert "  deactivated  " in refused.stderr
    assert at.changes_sent() == []
    assert answered(at, b"y\n", *apply).code == 0


def test_an_interrupted_run_says_how_far_it_came_and_how_to_go_on(case: Callable[..., Case]) -> None:
    at = case()
    planned = at.prepare()
    update, running = at.store.update, []

    def interrupting(*arguments):  # type: ignore[no-untyped-def]
        if len(at.changes_sent()) == 2:
            running.pop().send_signal(signal.SIGINT)
        return update(*arguments)

    at.store.update = interrupting  # type: ignore[method-assign]
    apply = ["remediate", "apply", "remediation-plan.json", *OPERATOR, "--yes"]
    environment = {**os.environ, "ACCESS_REVIEW_PROD_PASSWORD": at.simulator.password}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", *apply],
        cwd=at.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        running.append(process)
        _, said = process.communicate(timeout=120)

    assert process.returncode == 130
    assert f"of {len(planned)} changes, as remediation-plan.json.journal.jsonl says" in said
    assert "run the same command again" in said
    at.ok(*apply)
    assert set(planned) <= at.inactive()


_KILLED = """
import os, signal, sys
from pipeline.cli import main
real, left = os.fsync, [int(sys.argv[1])]
def fsync(file):
    left[0] -= 1
    if left[0] == 0 and sys.argv[2] == 'before':
        os.kill(os.getpid(), signal.SIGKILL)
    real(file)
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
os.fsync = fsync
del sys.argv[1:3]
main.main()
"""


def test_killed_at_every_step_it_goes_on_and_repeats_nothing(case: Callable[..., Case]) -> None:
    at = case("write-then-504")
    off_before = at.inactive()
    used = [user for user in at.store.users if user.get("active") and user["userName"] != at.simulator.username]
    for user in used[-10:]:  # enough of them that every run below has something left to do
        at.store.put({**user, "lastLogin": "2026-01-05T10:00:00.000Z", "lastActivity": None})
    planned = at.prepare()
    apply = ["remediate", "apply", "remediation-plan.json", *OPERATOR, "--yes"]
    environment = {**os.environ, "ACCESS_REVIEW_PROD_PASSWORD": at.simulator.password}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])

    # every write to the disk is a step: before it, the line is not safe; after it, what it says has not yet happened
    for when in ("before", "after"):
        for step in (1, 2, 3):
            killed = subprocess.run(
                [sys.executable, "-c", _KILLED, str(step), when, *apply],
                cwd=at.folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            assert killed.returncode == -signal.SIGKILL, killed.stderr
    at.ok(*apply)

    assert at.inactive() - off_before == set(planned)
    assert sorted(at.changes_sent()) == sorted(("PATCH", f"/api/v1/users/{account}") for account in planned)
    document = at.ok("--json", "remediate", "status").result
    assert {c["account_id"]: c["state"] for c in document["changes"]} == dict.fromkeys(planned, "applied")


def test_a_copy_of_a_plan_goes_on_from_the_journal_of_the_first(case: Callable[..., Case]) -> None:
    at = case()
    planned = at.prepare()
    killing = Killing(at, [("", "made"), ("", "kill")])
    plan, copy = at.folder / "remediation-plan.json", at.folder / "elsewhere" / "copy.json"
    environment = {**os.environ, "ACCESS_REVIEW_PROD_PASSWORD": at.simulator.password}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "remediate", "apply", plan.name, *OPERATOR, "--yes"],
        cwd=at.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        killing.victim = running.pid
        assert running.wait(timeout=120) == -signal.SIGKILL
    copy.parent.mkdir()
    copy.write_bytes(plan.read_bytes())

    went_on = at.ok("remediate", "apply", str(copy), *OPERATOR, "--yes")
    sent = at.changes_sent()
    again = at.ok("remediate", "apply", str(copy), *OPERATOR, "--yes")

    assert "a copy of this plan has been applied before" in went_on.stderr
    assert "the plan has been applied already" not in went_on.stderr
    assert sorted(sent) == sorted(("PATCH", f"/api/v1/users/{account}") for account in planned)
    assert killing.needless == []
    assert "the plan has been applied already" in again.stderr
    assert at.changes_sent() == sent
    status = at.ok("--json", "remediate", "status", str(copy)).result
    assert status["counts"] == {"applied": len(planned)}
    at.ok("remediate", "undo", str(copy), "--out", "undo-plan.json")
    assert len(json.loads((at.folder / "undo-plan.json").read_text())["changes"]) == len(planned)

    plan.with_name(f"{plan.name}.journal.jsonl").unlink()
    lost = at.command("remediate", "apply", str(copy), *OPERATOR, "--yes")

    assert lost.code == 2
    assert "its journal, which says what was sent, is missing" in lost.stderr
    assert at.changes_sent() == sent


class Killing:
    """Kills the program that asks for a change, or lies to it: ``script`` is used up one a change."""

    def __init__(self, case: Case, script: list[tuple[str, str]]) -> None:
        self.case = case
        self.script = script
        self.victim = 0
        self.needless: list[str] = []
        case.simulator.sisense.intercept = self.answer

    async def answer(self, call: Call, proceed: Proceed) -> Response:
        if call.method != "PATCH":
            return await proceed(call)
        account = self.case.store.by_id[call.path.rpartition("/")[2]]
        if account.get("active") is False:
            self.needless.append(account["_id"])
        before, after = self.script.pop(0) if self.script else ("", "")
        if before == "kill":
            os.kill(self.victim, signal.SIGKILL)
        response = await proceed(call) if after != "not made" else HTMLResponse("<h1>502 Bad Gateway</h1>", 502)
        if after == "kill":
            os.kill(self.victim, signal.SIGKILL)
        if after == "cut":
            call.reset()
            raise ConnectionResetError
        return HTMLResponse("<h1>504 Gateway Time-out</h1>", 504) if after == "504" else response


def test_killed_while_a_faulty_server_is_at_work_it_goes_on_and_repeats_nothing(case: Callable[..., Case]) -> None:
    at = case()
    off_before = at.inactive()
    planned = at.prepare()
    script = [("kill", "not made"), ("", "504"), ("", "not made"), ("kill", "made"), ("", "cut"), ("", "kill")]
    killing = Killing(at, script)
    apply = ["remediate", "apply", "remediation-plan.json", *OPERATOR, "--yes"]
    environment = {**os.environ, "ACCESS_REVIEW_PROD_PASSWORD": at.simulator.password}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    codes = []

    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-m", "pipeline", *apply],
            cwd=at.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as running:  # fmt: skip
            killing.victim = running.pid
            codes.append(running.wait(timeout=120))
        if codes[-1] >= 0 and not script:
            break

    assert codes.count(-signal.SIGKILL) == 3
    at.ok(*apply)
    assert at.inactive() - off_before == set(planned)
    assert killing.needless == []
    assert {method for method, _ in at.changes_sent()} == {"PATCH"}
    # the two that were not made were sent again, and only those
    assert len(at.changes_sent()) == len(planned) + 2
    document = at.ok("--json", "remediate", "status").result
    assert {c["account_id"]: c["state"] for c in document["changes"]} == dict.fromkeys(planned, "applied")
