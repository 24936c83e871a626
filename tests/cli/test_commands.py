"""Details of single commands that users rely on."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.simulator.server import Simulator
from tests.cli.conftest import Place
from tests.e2e.program import run_command

SIGNATURE = ("--by", "C", "--email", "c@example.com", "--role", "CISO")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Place]:
    """A simulator that the test may change."""
    with Simulator(40, 7) as simulator:
        simulator.write_files(tmp_path)
        yield Place(tmp_path, simulator)


def test_update_adds_and_removes_groups_and_keeps_the_others(own: Place) -> None:
    store = own.simulator.sisense.store
    names = {group["_id"]: group["name"] for group in own.simulator.population.groups}
    user = next(user for user in store.users if user.get("active") and len(user.get("groups") or ()) >= 2)
    kept, gone = (names[group] for group in user["groups"][:2])
    new = next(name for group, name in names.items() if group not in user["groups"] and "Team" in name)

    def held() -> set[str]:
        return {names[group] for group in store.by_id[user["_id"]]["groups"]}

    update = ("users", "update", user["userName"], "--json")
    first = own.ok(*update, "--add-group", new.upper(), "--remove-group", gone).result
    assert [row["state"] for row in first] == ["changed"]
    assert new in held()
    assert kept in held()
    assert gone not in held()
    again = own.ok(*update, "--add-group", new, "--remove-group", gone).result
    assert [row["state"] for row in again] == ["as it was"]
    journal = [
        json.loads(line)
        for line in (own.folder / "access-review.duckdb.journal.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert {line["command"] for line in journal} == {"users update"}
    assert any(set(user["groups"]) == set((line.get("previous") or {}).get("groups", ())) for line in journal)

    before = held()
    for refused in (
        ("--group", new, "--add-group", gone),
        ("--group", new, "--remove-group", gone),
        ("--add-group", new, "--remove-group", new.lower()),
        ("--add-group", "No Such Group"),
    ):
        assert own("users", "update", user["userName"], *refused).code == 2, refused
    assert held() == before
    own.ok("users", "update", user["userName"], "--group", gone)
    assert held() == {gone}


@pytest.mark.parametrize("command", [("scim", "diff"), ("scim", "sync"), ("scim", "sync", "--report")], ids=" ".join)
def test_scim_diff_works_by_each_of_its_names(built: Place, command: tuple[str, ...]) -> None:
    outcome = built(*command)

    # a build without SCIM users: the command went as far as the database
    assert outcome.code == 4
    assert "the current build has no SCIM users" in outcome.stderr


def test_status_shows_a_plan_and_its_approvals(copied: Place) -> None:
    own = copied
    own.ok("remediate", "plan", "--stale-days", "60", "--max-share", "100")
    before = own.ok("remediate", "status", "--json").result
    own.ok("remediate", "approve", "remediation-plan.json", "--by", "Ann Ek", "--email", "ann@example.com")
    after = own.ok("remediate", "status", "--json").result

    assert (before["file"], before["approved"], before["approvals"]) == ("remediation-plan.json", False, [])
    assert before["plan_id"] == after["plan_id"]
    assert after["approved"] is True
    [approval] = after["approvals"]
    assert (approval["by"], approval["email"]) == ("Ann Ek", "ann@example.com")
    assert (approval["signed"], approval["current"]) == (False, True)
    assert {change["state"] for change in after["changes"]} == {"open"}


def test_verify_without_applied_changes_extracts_and_writes_nothing(copied: Place) -> None:
    own = copied
    own.ok("remediate", "plan", "--stale-days", "60", "--max-share", "100")
    asked = len(own.simulator.sisense.log)
    reports = list((own.folder / "out").iterdir())

    verified = own("remediate", "verify")

    assert verified.code == 0
    assert verified.stdout == "nothing to verify\n"
    assert "no change has been applied" in verified.stderr
    assert len(own.simulator.sisense.log) == asked
    assert list((own.folder / "out").iterdir()) == reports
    assert len(own.ok("snapshots", "--json").result) == 1


def test_packets_are_the_same_again_and_status_after_sign_off_shows_the_signed_campaign(copied: Place) -> None:
    own = copied
    own.ok("report", "--format", "csv")
    nothing = own("review", "status")
    own.ok("review", "open", "--name", "2026-Q4", "--scope", "privileged", "--reviewer", "ciso@example.com")
    packets = own.ok("review", "packets", "--json").result["files"]
    content = [Path(packet).read_bytes() for packet in packets]
    own.ok("review", "packets")
    assert [Path(packet).read_bytes() for packet in packets] == content
    for packet in packets:
        if packet.endswith(".csv"):
            with Path(packet).open(encoding="utf-8", newline="") as stream:
                rows = list(csv.DictReader(stream))
            file = own.folder / Path(packet).name
            lines = [f"{row['item_id']},keep,needed" for row in rows]
            file.write_text("\n".join(["item_id,decision,reason", *lines]) + "\n", encoding="utf-8")
            own.ok("review", "import", str(file))
    missing = own("review", "import", "missing.csv")
    own.ok("review", "sign-off", *SIGNATURE)

    status = own.ok("review", "status", "--json").result

    assert nothing.code == 2
    assert (missing.code, missing.stdout) == (2, "")
    assert (status["campaign"], status["is_signed"]) == ("2026-Q4", True)
    assert status["signed_by"] == "C"
    assert "campaign  2026-Q4, signed off by C on " in own.ok("review", "status").stdout
    assert own("review", "packets").code == 2


def test_a_future_date_and_an_empty_answer_are_said(copied: Place) -> None:
    future = copied.ok("build", "--as-of", "2099-12-31")
    empty = copied.ok("sql", "select 1 where false")
    explained = copied.ok("sql", "--saved", "group_reach", "--param", "group=no such group")

    assert "as of 2099-12-31 00:00 UTC, which is in the future" in future.stderr
    assert "the query returned no rows" in empty.stderr
    assert "no group has this name or id: no such group" in explained.stderr


@pytest.mark.parametrize(
    ("name", "said"), [("file", "this is a file, not a folder"), ("empty", "the folder is empty")]
)
def test_what_is_no_report_folder_is_not_verified(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()

    outcome = run_command(tmp_path, "verify", name)

    assert outcome.code == 2
    assert said in outcome.stderr


def test_a_partial_extract_ends_with_an_error_and_a_hint(tmp_path: Path) -> None:
    with Simulator(40, 7, scenarios=("non-admin",)) as simulator:
        simulator.write_files(tmp_path)
        outcome = Place(tmp_path, simulator)("extract", "--json")

    document = json.loads(outcome.stdout)
    assert outcome.code == document["error"]["exit_code"] == 3
    assert document["result"]["completeness"] == "PARTIAL"
    last = outcome.stderr.splitlines()[-2:]
    assert last[0].startswith("error: the extract is PARTIAL: source 'prod': The account that reads has the role")
    assert last[0].endswith("a filtered list of accounts")
    assert last[1] == f"hint: {document['error']['hint']}"
    assert "snapshots show" in document["error"]["hint"]
