"""A run of apply that is killed or interrupted resumes where it stopped, and repeats nothing."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable

from starlette.responses import Response

from pipeline.simulator.exchange import Call, Proceed
from tests.e2e.program import BEFORE_A_FORK, command
from tests.e2e.remediating import APPLY, OPERATOR, Case, Killing


def test_the_changes_of_a_killed_run_are_verified_and_reported(case: Callable[..., Case]) -> None:
    at = case()
    planned = at.take_plan()
    killing = Killing(at, [("", "made"), ("", "kill")])
    assert at.apply_to(killing) == -signal.SIGKILL
    first, second = (at.store.by_id[path.rpartition("/")[2]] for _, path in at.changes_sent())
    # between the kill and the verification, the first account is activated again
    at.store.put({**first, "active": True})

    verified = at.command("--json", "remediate", "verify", "--format", "csv,html")

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
    assert "1 of 2 changes sent before this extract is not verified" in section
    assert "not done: the access is still there" in section
    assert "Ann Ek" in section
    assert "Bo Dahl" in section


def test_an_interrupted_run_says_where_it_stopped_and_how_to_resume(case: Callable[..., Case]) -> None:
    at = case()
    planned = at.take_plan()
    running: list[subprocess.Popen[str]] = []

    async def interrupting(call: Call, proceed: Proceed) -> Response:
        if call.method == "PATCH" and len(at.changes_sent()) == 2:
            running.pop().send_signal(signal.SIGINT)
        return await proceed(call)

    at.simulator.sisense.intercept = interrupting
    with subprocess.Popen(
        command(*APPLY),
        cwd=at.folder, env=at.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        running.append(process)
        _, said = process.communicate(timeout=120)

    assert process.returncode == 130
    assert f"of {len(planned)} changes, as remediation-plan.json.journal.jsonl records" in said
    assert "run the same command again" in said
    at.ok(*APPLY)
    assert set(planned) <= at.inactive()


#: Runs a command six times, each in a fork, which is killed at another forced write. Prints how each ended.
_KILLED = """
import os, signal, sys
from pipeline.cli import main
from tests.e2e.forking import import_program
import_program()
real = os.fsync
def killed(when, step):
    left = [step]
    def fsync(file):
        left[0] -= 1
        if left[0] == 0 and when == 'before':
            os.kill(os.getpid(), signal.SIGKILL)
        real(file)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    os.fsync = fsync
    os.dup2(2, 1)
    main.main()
for when in ('before', 'after'):
    for step in (1, 2, 3):
        child = os.fork()
        if child == 0:
            try:
                killed(when, step)
            finally:
                os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_a_run_killed_at_any_step_resumes_and_repeats_nothing(case: Callable[..., Case]) -> None:
    at = case("write-then-504")
    off_before = at.inactive()
    used = [user for user in at.store.users if user.get("active") and user["userName"] != at.simulator.username]
    for user in used[-10:]:  # enough accounts that every run below has changes left
        at.store.put({**user, "lastLogin": "2026-01-05T10:00:00.000Z", "lastActivity": None})
    planned = at.extract_and_plan()

    # each forced write is a step: before it the line is not on the disk, after it the announced request is not sent
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, *APPLY],
        cwd=at.folder, env=at.environment | BEFORE_A_FORK, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert killed.stdout.split() == [str(-signal.SIGKILL)] * 6, killed.stderr
    at.ok(*APPLY)

    assert at.inactive() - off_before == set(planned)
    assert sorted(at.changes_sent()) == sorted(("PATCH", f"/api/v1/users/{account}") for account in planned)
    document = at.ok("--json", "remediate", "status").result
    assert {c["account_id"]: c["state"] for c in document["changes"]} == dict.fromkeys(planned, "applied")


def test_a_copy_of_a_plan_resumes_from_the_journal_of_the_first(case: Callable[..., Case]) -> None:
    at = case()
    planned = at.take_plan()
    killing = Killing(at, [("", "made"), ("", "kill")])
    plan, copy = at.folder / "remediation-plan.json", at.folder / "elsewhere" / "copy.json"
    assert at.apply_to(killing) == -signal.SIGKILL
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
    assert "its journal, which records what was sent, is missing" in lost.stderr
    assert at.changes_sent() == sent


def test_a_run_killed_while_the_server_is_faulty_resumes_and_repeats_nothing(case: Callable[..., Case]) -> None:
    at = case()
    off_before = at.inactive()
    planned = at.take_plan()
    script = [("kill", "not made"), ("", "504"), ("", "not made"), ("kill", "made"), ("", "cut"), ("", "kill")]
    killing = Killing(at, script)
    codes = []

    for _ in range(6):
        codes.append(at.apply_to(killing))
        if codes[-1] >= 0 and not script:
            break

    assert codes.count(-signal.SIGKILL) == 3
    at.ok(*APPLY)
    assert at.inactive() - off_before == set(planned)
    assert killing.needless == []
    assert {method for method, _ in at.changes_sent()} == {"PATCH"}
    # only the two changes that were not made were sent again
    assert len(at.changes_sent()) == len(planned) + 2
    document = at.ok("--json", "remediate", "status").result
    assert {c["account_id"]: c["state"] for c in document["changes"]} == dict.fromkeys(planned, "applied")
