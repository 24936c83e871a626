"""Changes in Sisense between two runs reach changes.csv, access.csv and the rules about changes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from pipeline.simulator.server import Simulator
from tests.e2e.conftest import Outcome, run_command
from tests.rules import rule

BREAK_GLASS_USED = rule("Break-glass account used")
NEW_PRIVILEGED_ACCOUNT = rule("New privileged account")
PRIVILEGED_GROUP_GROWTH = rule("Growing privileged group")
PRIVILEGED_THROUGH_GROUP = rule("Privileged through a group")
REACTIVATED_ACCOUNT = rule("Reactivated account")
ROLE_RAISED = rule("Role raised since the baseline")
USER_NAME_REUSED = rule("Reused user name")

Row = dict[str, str]
_RANKED = ("critical", "high", "medium", "low", "info")


@dataclass(frozen=True)
class Compared:
    """The report of the second of two runs, and the accounts that changed in between."""

    report: Path
    first: str
    raised: str
    reactivated: str
    deleted: str
    reborn: str
    privileged_group: str
    joined_group: tuple[str, ...]

    def rows(self, name: str, snapshot_id: str | None = None) -> list[Row]:
        """Return the rows of a file of the second report, or of that of another snapshot."""
        folder = self.report.with_name(snapshot_id) if snapshot_id else self.report
        with (folder / name).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def failed(self, rule_id: str) -> list[Row]:
        return [row for row in self.rows("findings.csv") if row["rule_id"] == rule_id]


def run_once(simulator: Simulator, folder: Path) -> Outcome:
    outcome = run_command(folder, "run", "--format", "csv", ACCESS_REVIEW_PROD_PASSWORD=simulator.password)
    assert outcome.code == 0, outcome.stderr
    return outcome


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compared]:
    folder = tmp_path_factory.mktemp("two-snapshots")
    with Simulator(500, 7) as simulator:
        simulator.write_files(folder)
        first = Path(run_once(simulator, folder).stdout.splitlines()[0])
        truth = simulator.population
        roles = {role["name"]: role["_id"] for role in truth.roles}
        carriers = [group for group in truth.groups if group["roleId"] == roles["dataAdmin"]]
        group = next(group for group in carriers if truth.members[group["_id"]])
        viewers = [
            user
            for user in truth.users
            if user.get("active") is True and user.get("roleId") == roles["consumer"] and user.get("groups")
        ]
        raised, deleted, *others = viewers
        joining = others[: len(truth.members[group["_id"]])]
        inactive = next(user for user in truth.users if user.get("active") is False and user.get("lastLogin"))
        headers = {"Authorization": f"Bearer {simulator.token}"}
        with httpx.Client(base_url=simulator.url, headers=headers) as client:
            users = "/api/v1/users"
            answers = [
                client.patch(f"{users}/{raised['_id']}", json={"roleId": roles["dataAdmin"]}),
                client.patch(f"{users}/{inactive['_id']}", json={"active": True}),
                client.delete(f"{users}/{deleted['_id']}"),
                *(
                    client.patch(f"{users}/{user['_id']}", json={"groups": [*user["groups"], group["_id"]]})
                    for user in joining
                ),
            ]
            created = client.post(
                users,
                json={"email": "reborn@example.com", "userName": deleted["userName"], "password": "synthetic-1"},
            )
        assert all(answer.is_success for answer in [*answers, created])
        report = Path(run_once(simulator, folder).stdout.splitlines()[0])
        yield Compared(
            report=report,
            first=first.name,
            raised=raised["_id"],
            reactivated=inactive["_id"],
            deleted=deleted["_id"],
            reborn=created.json()["_id"],
            privileged_group=group["_id"],
            joined_group=tuple(user["_id"] for user in joining),
        )


def test_every_change_to_an_account_is_a_row_with_its_effect_on_privilege(compared: Compared) -> None:
    found = {
        (row["change"], row["key"], row["privileged_effect"])
        for row in compared.rows("changes.csv")
        if row["object_kind"] == "account"
    }

    assert found == {
        ("role_changed", compared.raised, "gained"),
        ("new_privileged", compared.raised, "gained"),
        ("reactivated", compared.reactivated, "none"),
        ("leaver", compared.deleted, "none"),
        ("joiner", compared.reborn, "none"),
    }


def test_joining_a_privileged_group_gains_privilege(compared: Compared) -> None:
    gained = {
        row["key"]
        for row in compared.rows("changes.csv")
        if (row["object_kind"], row["change"], row["privileged_effect"]) == ("membership", "added", "gained")
    }

    assert gained == {f"{account_id}:{compared.privileged_group}" for account_id in compared.joined_group}
    assert {row["baseline_snapshot_id"] for row in compared.rows("changes.csv")} == {compared.first}


def test_the_rules_about_changes_find_exactly_the_changes(compared: Compared) -> None:
    def accounts(rule_id: str) -> set[str]:
        return {row["account_id"] for row in compared.failed(rule_id)}

    assert accounts(ROLE_RAISED) == accounts(NEW_PRIVILEGED_ACCOUNT) == {compared.raised}
    assert [row["severity"] for row in compared.failed(ROLE_RAISED)] == ["high"]
    assert accounts(REACTIVATED_ACCOUNT) == {compared.reactivated}
    assert accounts(USER_NAME_REUSED) == {compared.reborn}
    assert [row["subject_id"] for row in compared.failed(PRIVILEGED_GROUP_GROWTH)] == [compared.privileged_group]
    assert accounts(PRIVILEGED_THROUGH_GROUP) >= set(compared.joined_group)
    assert accounts(BREAK_GLASS_USED) == set()


def test_with_a_baseline_every_rule_about_changes_is_evaluated(compared: Compared) -> None:
    summary = {row["rule_id"]: row for row in compared.rows("rules.csv")}

    assert summary[NEW_PRIVILEGED_ACCOUNT]["unknown"] == "0"
    assert summary[BREAK_GLASS_USED]["unknown"] == "0"
    for row in summary.values():
        assert int(row["population"]) == sum(int(row[name]) for name in ("passed", "failed", "unknown"))


def test_access_marks_new_items_and_keeps_the_item_ids(compared: Compared) -> None:
    access = compared.rows("access.csv")
    with (compared.report.parent / compared.first / "access.csv").open(encoding="utf-8", newline="") as stream:
        before = {row["item_id"]: row for row in csv.DictReader(stream)}

    new = {row["item_id"] for row in access if row["change_since_baseline"] == "new"}
    assert {row["account_id"] for row in access if row["item_id"] in new} == {
        compared.raised,
        compared.reborn,
        *compared.joined_group,
    }
    assert {row["item_id"] for row in access} - new == set(before) - {
        item_id
        for item_id, row in before.items()
        if row["account_id"] == compared.deleted
        or (row["account_id"] == compared.raised and row["entitlement_type"] == "role")
    }
    assert {row["change_since_baseline"] for row in before.values()} == {"no_baseline"}
    assert all(row["recommendation_reason"] for row in access)


def test_diff_prints_the_changes_of_the_report_and_can_be_a_gate(compared: Compared) -> None:
    folder, second = compared.report.parents[1], compared.report.name

    same = run_command(folder, "diff", second, second, "--exit-code")
    shown = run_command(folder, "--json", "diff", compared.first, second)
    gate = run_command(folder, "diff", compared.first, second, "--exit-code")
    unknown = run_command(folder, "diff", compared.first, "20200101T000000Z-0000")

    reported = compared.rows("changes.csv")
    changes = shown.result["changes"]
    assert (same.code, shown.code, gate.code, unknown.code) == (0, 0, 1, 4)
    assert "nothing changed" in same.stderr
    assert [row["key"] for row in changes] == [row["key"] for row in reported]
    assert len(gate.stdout.splitlines()) == len(reported) + 2
    assert "hint:" in gate.stderr
    assert "hint: 'access-review snapshots list'" in unknown.stderr


def test_the_trend_agrees_with_the_findings_of_both_reports(compared: Compared) -> None:
    def open_in(snapshot_id: str) -> dict[str, str]:
        found = compared.rows("findings.csv", snapshot_id)
        return {row["finding_id"]: row["severity"] for row in found if row["status"] == "open"}

    before, now = open_in(compared.first), open_in(compared.report.name)
    first, second = (
        {row["severity"]: row for row in compared.rows("trend.csv") if row["snapshot_id"] == snapshot_id}
        for snapshot_id in (compared.first, compared.report.name)
    )

    assert [row["severity"] for row in compared.rows("trend.csv")] == [*_RANKED, *_RANKED]
    for severity in _RANKED:
        assert int(first[severity]["open"]) == list(before.values()).count(severity)
        assert (first[severity]["new"], first[severity]["resolved"], first[severity]["reopened"]) == ("", "", "")
        assert int(second[severity]["open"]) == list(now.values()).count(severity)
        assert int(second[severity]["new"]) == [now[i] for i in now.keys() - before.keys()].count(severity)
        assert int(second[severity]["resolved"]) == [before[i] for i in before.keys() - now.keys()].count(severity)
        assert second[severity]["reopened"] == "0"
    assert now.keys() - before.keys()
    assert before.keys() - now.keys()
