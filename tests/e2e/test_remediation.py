"""Remediation: exactly the planned accounts change, and a later extract proves it."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.program import Outcome, command
from tests.e2e.remediating import APPLY, APPROVER, OPERATOR, Case
from tests.fakes.time_stamp_authority import Authority


def test_stale_accounts_are_deactivated_and_nothing_else_changes(
    case: Callable[..., Case], tmp_path_factory: pytest.TempPathFactory
) -> None:
    at = case()
    before = {user["_id"]: dict(user) for user in at.store.users}
    off_before = at.inactive()
    planned = at.take_plan()

    applied = at.ok(*APPLY)
    with Authority(tmp_path_factory.mktemp("authority")) as authority:
        with (at.folder / "access-review.toml").open("a", encoding="utf-8") as file:
            file.write(f'\n[evidence]\ntimestamp_url = "{authority.url}"\n')
        verified = at.ok("remediate", "verify", "--format", "csv")

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
    at.ok("verify", "--chain", "out", "--tsa-certificate", str(authority.root.path))
    assert at.ok("remediate", "plan", "--stale-days", "90").stdout.strip() == "nothing to change"


@pytest.mark.parametrize("scenario", ["write-then-504", "write-then-cut"])
def test_a_change_that_was_made_despite_an_error_is_found_by_reading_back(
    case: Callable[..., Case], scenario: str
) -> None:
    at = case(scenario)
    off_before = at.inactive()
    planned = at.take_plan()

    at.ok(*APPLY)

    assert at.inactive() - off_before == set(planned)
    assert len(at.changes_sent()) == len(planned)


def test_a_confirmed_change_that_does_not_show_is_unclear_and_can_be_retried(
    case: Callable[..., Case],
) -> None:
    at = case("write-ignored")
    off_before = at.inactive()
    planned = at.take_plan()

    first = at.command(*APPLY)
    document = at.ok("--json", "remediate", "status").result

    assert first.code == 3
    assert {c["state"] for c in document["changes"]} == {"applied", "unclear"}
    assert at.inactive() - off_before == {c["account_id"] for c in document["changes"] if c["state"] == "applied"}
    assert {c["account_id"] for c in document["changes"]} == set(planned)


def test_a_refused_active_field_is_explained_and_the_rest_is_not_tried(case: Callable[..., Case]) -> None:
    at = case("no-active-in-patch")
    off_before = at.inactive()
    at.take_plan()

    outcome = at.command(*APPLY)

    assert outcome.code == 3
    assert "does not take 'active' over the API" in outcome.stdout
    assert len(at.changes_sent()) == 3
    assert at.inactive() == off_before


def test_the_approver_cannot_apply_and_a_changed_plan_needs_a_new_approval(case: Callable[..., Case]) -> None:
    at = case()
    at.take_plan()
    file = at.folder / "remediation-plan.json"

    same = at.command("remediate", "apply", file.name, "--by", "A", "--email", "ANN@example.com", "--yes")
    document = json.loads(file.read_text())
    document["changes"][0]["reason"] = "another"
    file.write_text(json.dumps(document))
    changed = at.command("remediate", "apply", file.name, *OPERATOR, "--yes")

    assert (same.code, changed.code) == (1, 1)
    assert "may not apply it" in same.stderr
    assert "changed after its approval" in changed.stderr
    assert at.changes_sent() == []


@pytest.mark.parametrize("who", [("--by", "", "--email", "a@example.com"), ("--by", "Ann", "--email", "ann")])
def test_a_blank_name_or_address_can_neither_approve_nor_apply(
    case: Callable[..., Case], who: tuple[str, ...]
) -> None:
    at = case()
    at.take_plan()

    approved = at.command("remediate", "approve", "remediation-plan.json", *who)
    applied = at.command("remediate", "apply", "remediation-plan.json", *who, "--yes")

    assert (approved.code, applied.code) == (2, 2)
    assert at.changes_sent() == []


def test_an_account_that_changed_since_the_plan_is_skipped_with_the_reason(case: Callable[..., Case]) -> None:
    at = case()
    planned = at.take_plan()
    at.store.put({**at.store.by_id[planned[0]], "lastLogin": "2026-11-25T10:00:00.000Z"})

    outcome = at.ok(*APPLY)

    assert "changed since the plan: it has logged in" in outcome.stdout
    assert planned[0] not in at.inactive()


def test_undo_reverses_the_changes(case: Callable[..., Case]) -> None:
    at = case()
    off_before = at.inactive()
    at.take_plan()
    at.ok(*APPLY)

    at.ok("remediate", "undo", "remediation-plan.json")
    at.ok("remediate", "approve", "undo-plan.json", *APPROVER)
    at.ok("remediate", "apply", "undo-plan.json", *OPERATOR, "--yes")

    assert at.inactive() == off_before
    at.ok("remediate", "verify", "--format", "csv")


def test_a_plan_over_too_many_accounts_is_refused(case: Callable[..., Case]) -> None:
    at = case()
    at.take_build()

    outcome = at.command("remediate", "plan", "--stale-days", "1")

    assert outcome.code == 1
    assert "more than 10 %" in outcome.stderr
    assert not (at.folder / "remediation-plan.json").exists()


def test_a_build_as_of_a_future_date_cannot_be_planned_on(case: Callable[..., Case]) -> None:
    at = case()
    at.take_build()
    at.ok("build", "--as-of", "2100-01-01")

    outcome = at.command("remediate", "plan", "--stale-days", "90", "--max-share", "100")

    assert outcome.code == 1
    assert "evaluated as of 2100-01-01" in outcome.stderr
    assert not (at.folder / "remediation-plan.json").exists()


def test_a_plan_whose_extract_is_too_old_is_not_applied(case: Callable[..., Case]) -> None:
    at = case()
    at.take_build()
    at.ok("remediate", "plan", "--stale-days", "90", "--max-age-hours", "1")
    file = at.folder / "remediation-plan.json"
    document = json.loads(file.read_text())
    document["basis"]["extracted_at"] = "2026-01-01T00:00:00Z"
    file.write_text(json.dumps(document))
    at.ok("remediate", "approve", file.name, *APPROVER)

    outcome = at.command("remediate", "apply", file.name, *OPERATOR, "--yes")

    assert outcome.code == 1
    assert "too old to be applied" in outcome.stderr
    assert "the limit is 1" in outcome.stderr
    assert at.changes_sent() == []


def answered(at: Case, answer: bytes, *arguments: str) -> Outcome:
    """Run a command on a terminal where a person types an answer."""
    theirs, ours = pty.openpty()
    os.write(theirs, answer)
    try:
        done = subprocess.run(
            command(*arguments),
            cwd=at.folder, env=at.environment, stdin=ours, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    finally:
        os.close(theirs)
        os.close(ours)
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_answering_no_to_the_confirmation_changes_nothing(case: Callable[..., Case]) -> None:
    at = case()
    at.take_plan()
    apply = ("remediate", "apply", "remediation-plan.json", *OPERATOR)

    without_terminal = at.command(*apply)
    refused = answered(at, b"n\n", *apply)

    assert (without_terminal.code, refused.code) == (2, 1)
    assert "error: not confirmed" in refused.stderr
    assert "interrupted" not in refused.stderr
    assert "  deactivate  " in refused.stderr
    assert at.changes_sent() == []
    assert answered(at, b"y\n", *apply).code == 0
