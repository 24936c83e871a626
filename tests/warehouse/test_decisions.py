"""Decisions add up to actions: in the plan, in the sign-off, and in the next report stands one sum that closes."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.remediation import document, planning, record
from pipeline.remediation.journal import JournalEntry
from pipeline.remediation.plan import Approval, Plan, load, save
from pipeline.review import campaign as campaigns
from pipeline.warehouse.model import Model
from tests.cases.case import Case, each
from tests.rules import rule
from tests.warehouse.conftest import House, opened, opened_copy

REVOCATION_NOT_VERIFIED = rule("Removed access is still present")

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIRST, NEXT = "20260101T000000Z-0000", "20260102T000000Z-0000"
GROUP = "only the group lists the membership, and this program does not change that list: remove it in Sisense"
GROUPS = [
    {"_id": "g-all", "name": "Everyone"},
    {"_id": "g-sales", "name": "Sales", "users": ["bo", "ada", "off"]},
    {"_id": "g-ops", "name": "Ops"},
]
#: Account and entitlement -> what a reviewer decided.
DECISIONS = {
    ("ada", "r-viewer"): ("remove", None),
    ("ada", "g-sales"): ("remove", None),
    ("off", "g-ops"): ("remove", None),
    ("off", "r-viewer"): ("remove", None),  # inactive already
    ("bo", "g-sales"): ("remove", None),  # on the group's side only
    ("boss", "r-admin"): ("reduce", "Viewer"),
    ("chief", "r-admin"): ("reduce", "Viewer"),  # one of two administrators has to stay
    ("odd", "r-odd"): ("reduce", "Emperor"),
    ("cay", "r-viewer"): ("reduce", "Admin"),  # which would raise it
    ("svc", "g-ops"): ("remove", None),  # the account this program logs in with
    ("cay", "g-ops"): ("keep", None),
}


def people(make_user: Callable[..., Any], **changed: dict[str, Any]) -> list[dict[str, Any]]:
    users = {
        "ada": {"groups": ["g-all", "g-sales", "g-ops"]},
        "bo": {"groups": []},
        "boss": {"roleId": "r-admin"},
        "cay": {"groups": ["g-ops"]},
        "chief": {"roleId": "r-admin"},
        "odd": {"roleId": "r-odd"},
        "off": {"active": False, "groups": ["g-ops", "g-sales"]},
        "svc": {"userName": "svc", "groups": ["g-ops"]},
    }
    return [make_user(name, **{**fields, **changed.get(name, {})}) for name, fields in users.items()]


@pytest.fixture(scope="module")
def template(
    tmp_path_factory: pytest.TempPathFactory, models: list[Model], source: Any, make_user: Callable[..., Any]
) -> Path:
    folder = tmp_path_factory.mktemp("signed")
    with opened(folder, models) as house:
        sign(house, source, make_user)
    return folder


@pytest.fixture
def signed(template: Path, tmp_path: Path, models: list[Model]) -> Iterator[House]:
    with opened_copy(template, tmp_path, models) as house:
        yield house


def sign(house: House, source: Any, make_user: Callable[..., Any]) -> None:
    house.build(house.land(FIRST, {"prod": source(people(make_user), groups=GROUPS)}))
    campaigns.open_campaign(house.connection, campaigns.NewCampaign("Q", "all", ("ciso@example.com",), None), NOW)
    for (account, entitlement), (decision, target) in DECISIONS.items():
        house.connection.execute(
            """
            insert into review.decisions by name
            select campaign, item_id, 1 as sequence, $decision as decision, 'not needed' as reason,
                $target as target_role, reviewer_email, $now as imported_at, 'f.csv' as file_name, 'x' as file_sha256
            from review.items where account_id = $account and entitlement_id = $entitlement
            """,
            {"decision": decision, "target": target, "now": NOW, "account": account, "entitlement": entitlement},
        )
    house.connection.execute(
        "insert into review.sign_offs values ('Q', $id, 'C', 'c@example.com', 'CISO', $now, 'f', 'x')",
        {"id": FIRST, "now": NOW},
    )


def planned(house: Any, now: datetime = NOW) -> Plan:
    return planning.make(house.connection, planning.Selection(campaign="Q", max_share=100), now.replace(tzinfo=UTC))


def carried_out(house: Any, plan: Plan, state: str = "applied", detail: str | None = None) -> None:
    entries = {
        change.change_id: JournalEntry(
            state, NOW.replace(tzinfo=UTC).isoformat(), "Bo", "bo@example.com", False, change.expected, detail
        )
        for change in plan.changes
    }
    approval = Approval("Ann", "ann@example.com", "2026-01-01T12:00:00+00:00", plan.plan_id)
    record.keep(house.connection, replace(plan, approvals=(approval,)), entries)


def sums(house: Any) -> dict[str, int]:
    return dict(house.rows("select label, decisions from reports.decision_sums where decisions > 0"))


def test_every_decision_of_a_plan_is_accounted_for(signed: Any) -> None:
    found = planning.decision_sum(planned(signed))

    assert found is not None
    assert found.holds
    assert found.decided == len(DECISIONS) - 1
    assert {term: count for count, term in found.terms} == {
        "done and verified": 0,
        "not yet verified": 4,
        "already gone": 1,
        f"left out: {GROUP}": 1,
        "left out: it is the account this program logs in with": 1,
        "left out: it would be the last active administrator": 1,
        "left out: the role that should replace it does not exist": 1,
        "left out: the role that should replace it is not lower": 1,
    }


CHANGES = [
    Case("membership", "of an inactive account", "is removed", ("off", "remove_from_groups", ["g-sales"])),
    Case("membership", "of an account that is deactivated too", "is removed", ("ada", "remove_from_groups", None)),
    Case("role", "removed from an active account", "the account is deactivated", ("ada", "deactivate", None)),
    Case("role", "reduced", "the role changes", ("boss", "change_role", None)),
]


@each(CHANGES)
def test_a_decision_becomes_a_change(signed: Any, case: Case) -> None:
    account_id, action, groups = case.content

    [change] = [c for c in planned(signed).changes if (c.account_id, c.action) == (account_id, action)]

    assert change.item_id is not None
    if groups is not None:
        assert change.request == {"groups": groups}


def test_a_decision_wins_over_a_rule_that_asks_for_the_same_change(signed: Any) -> None:
    selection = planning.Selection(stale_days=1, campaign="Q", max_share=100)

    made = planning.make(signed.connection, selection, NOW.replace(tzinfo=UTC))

    [change] = [c for c in made.changes if (c.account_id, c.action) == ("ada", "deactivate")]
    assert change.item_id is not None
    found = planning.decision_sum(made)
    assert found is not None
    assert found.holds


def test_the_next_report_shows_the_outcome_of_each_decision(
    signed: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    carried_out(signed, planned(signed), detail="the id of a group that no longer exists was dropped")
    users = people(
        make_user,
        ada={"active": False, "groups": ["g-all", "g-ops"]},
        boss={"roleId": "r-viewer"},
        off={"active": False, "groups": ["g-sales"]},
    )
    later = [GROUPS[0], {"_id": "g-sales", "name": "Sales", "users": ["bo", "off"]}, GROUPS[2]]

    signed.build(signed.land(NEXT, {"prod": source(users, groups=later)}))

    assert sums(signed) == {
        "done and verified": 4,
        "already gone": 1,
        f"left out: {GROUP}": 1,
        "left out: it is the account this program logs in with": 1,
        "left out: it would be the last active administrator": 1,
        "left out: the role that should replace it does not exist": 1,
        "left out: the role that should replace it is not lower": 1,
    }
    assert set(signed.rows("select detail from reports.remediation")) == {
        ("the id of a group that no longer exists was dropped",)
    }
    again = planning.decision_sum(planned(signed, NOW + timedelta(days=1)))
    assert again is not None
    assert {term: count for count, term in again.terms if count} == sums(signed)


OUTCOMES = [
    Case("sent", "and still there", "is not yet verified", ("applied", "not yet verified", 4)),
    Case("failed", "and still there", "is not yet verified", ("failed", "not yet verified", 4)),
    Case("skipped", "because it has changed", "is left out with that reason", (
        "skipped", "left out: skipped when the plan was applied: it has logged in", 4)),
]  # fmt: skip


@each(OUTCOMES)
def test_access_that_is_still_present_is_not_done(
    signed: Any, source: Any, make_user: Callable[..., Any], case: Case
) -> None:
    state, term, decisions = case.content
    carried_out(signed, planned(signed), state, "it has logged in")

    signed.build(signed.land(NEXT, {"prod": source(people(make_user), groups=GROUPS)}))

    assert sums(signed)[term] == decisions
    assert "done and verified" not in sums(signed)


def test_a_decision_within_its_limit_is_not_evaluated(
    signed: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    signed.build(signed.land(NEXT, {"prod": source(people(make_user), groups=GROUPS)}))

    [(population, failed, unknown, passed)] = signed.rows(
        "select population, failed, unknown, passed from findings.rule_summary "
        f"where rule_id = '{REVOCATION_NOT_VERIFIED}'"
    )

    assert (population, failed, unknown, passed) == (10, 0, 9, 1)  # the inactive account's role is gone


def test_the_plan_for_the_approver_uses_names(signed: Any, tmp_path: Path) -> None:
    made = planned(signed)

    files, warnings = document.write(made, tmp_path / "plan.json")

    page = re.sub("</?span[^>]*>", "", (tmp_path / "plan.html").read_text(encoding="utf-8"))
    assert [path.name for path in files] == ["plan.html", "plan.pdf"]
    assert not warnings
    assert "Test Ada: remove from 1 group, keep 1; deactivate" in " ".join(page.split())
    assert "Test Boss: change role Admin to Viewer" in page
    assert "ciso@example.com, review Q" in page
    assert "not needed" in page
    assert "it would be the last active administrator" in page
    assert made.plan_id in page
    assert "g-sales" not in page


def test_a_plan_without_pango_has_a_page_and_a_warning(signed: Any, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    save(planned(signed), path)
    program = (
        "import pathlib, sys, cffi\n"
        "def refuse(self, name, flags=0): raise OSError(f\"cannot load library '{name}'\")\n"
        "cffi.FFI.dlopen = refuse\n"
        "from pipeline.remediation import document, plan\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "files, warnings = document.write(plan.load(path), path)\n"
        "print(*(file.name for file in files), *warnings)\n"
    )

    ran = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)

    assert ran.stdout.startswith("plan.html the PDF of the plan is left out: a PDF needs the system library Pango")
    assert not (tmp_path / "plan.pdf").exists()


def test_a_plan_of_an_earlier_version_keeps_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    change = {
        "change_id": "1", "source": "prod", "account_id": "a", "user_name": "a", "action": "deactivate",
        "reason": "unused", "request": {"active": False}, "expected": {}, "finding_id": None, "campaign": None,
        "item_id": None, "entitlement_type": None, "entitlement_id": None,
    }  # fmt: skip
    left_out = {"source": "prod", "account_id": "b", "user_name": "b", "reason": "unknown"}
    document = {"basis": {"created_at": "2026-01-01T00:00:00+00:00"}, "changes": [change], "left_out": [left_out]}
    path.write_text(json.dumps({"schema_version": 1, "approvals": [], **document}), encoding="utf-8")
    canonical = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    assert load(path).plan_id == hashlib.sha256(canonical).hexdigest()
