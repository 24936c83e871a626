"""A directory beside a Sisense: people, findings, and a leaver whom ``watch`` reports within one tick."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.project import Project
from pipeline.settings import load_settings
from pipeline.simulator.server import Simulator
from pipeline.watch.watcher import Watcher
from tests.e2e.program import disable_rules, run_command
from tests.fakes.http import HttpServer
from tests.fakes.okta import API_TOKEN, FakeOkta, make_users


@dataclass
class Company:
    """A Sisense and an Okta that know the same people: each user of Okta has the address of an account."""

    folder: Path
    simulator: Simulator
    okta: FakeOkta
    accounts: list[dict[str, Any]]

    def project(self) -> Project:
        secrets = {"ACCESS_REVIEW_PROD_PASSWORD": self.simulator.password, "ACCESS_REVIEW_IDP_TOKEN": API_TOKEN}
        return Project(load_settings(self.folder / "access-review.toml"), secrets)

    def user_of(self, account: dict[str, Any]) -> dict[str, Any]:
        return next(user for user in self.okta.users if user["profile"]["email"] == account["email"])


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Simulator(60, 7) as simulator:
        store = simulator.sisense.store
        accounts = [user for user in store.users if user.get("active") is True and user.get("email")]
        accounts = [user for user in accounts if user["_id"] != store.caller_id]
        users = make_users(len(accounts) + 1)
        for user, account in zip(users, accounts, strict=False):
            user["status"] = "ACTIVE"
            user["profile"] |= {"email": account["email"], "login": account["userName"]}
        okta = FakeOkta(users, assigned={user["id"]: "USER" for user in users})
        with HttpServer(okta.answer) as http:
            (tmp_path / "access-review.toml").write_text(
                f"""
                [organization]
                email_domains = ["example.com"]
                [sources.prod]
                kind = "sisense"
                url = "{simulator.url}"
                username = "{simulator.username}"
                objects = false
                [sources.idp]
                kind = "okta"
                url = "{http.url}"
                application = "0oaapp"
                [roster]
                source = "idp"
                """,
                encoding="utf-8",
            )
            yield Company(tmp_path, simulator, okta, accounts)


def found(folder: Path, title: str) -> list[dict[str, str]]:
    with (folder / "findings.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["title"] == title]


def test_a_report_compares_sisense_with_the_directory(company: Company) -> None:
    leaver, suspended, unassigned, stranger = company.accounts[:4]
    company.user_of(leaver)["status"] = "DEPROVISIONED"
    company.user_of(suspended)["status"] = "SUSPENDED"
    del company.okta.assigned[company.user_of(unassigned)["id"]]
    company.okta.users.remove(company.user_of(stranger))
    company.okta.assigned = {
        key: scope
        for key, scope in company.okta.assigned.items()
        if key in {user["id"] for user in company.okta.users}
    }

    ran = company.project().run(formats=["csv"])

    folder = ran.report.folder
    assert ran.extract.completeness == "FULL", ran.extract.reason
    assert {row["account_id"] for row in found(folder, "Leaver still active")} == {leaver["_id"]}
    drifted = {
        row["account_id"]
        for row in found(folder, "Differs from the identity provider")
        if "status" in row["observed_value"]
    }
    assert drifted == {leaver["_id"], suspended["_id"]}
    assert {row["account_id"] for row in found(folder, "Not assigned to the application")} == {unassigned["_id"]}
    outside = {row["account_id"] for row in found(folder, "Account unknown to the identity provider")}
    assert stranger["_id"] in outside
    assert unassigned["_id"] not in outside
    assert {row["email"] for row in found(folder, "Assigned, but without an account")} == {
        company.okta.users[-1]["profile"]["email"]
    }
    with (folder / "population.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["account_id"]: row for row in csv.DictReader(file)}
    assert run_command(company.folder, "verify", str(folder), "--rebuild").code == 0
    assert rows[suspended["_id"]]["employment_status"] == "leave"
    assert rows[company.accounts[5]["_id"]]["manager_email"] == company.okta.users[0]["profile"]["email"]


def test_watch_reports_a_leaver_of_the_directory_at_the_next_tick(company: Company) -> None:
    disable_rules(company.folder)
    watcher = Watcher(company.project(), [])

    first = watcher.tick()
    leaver = company.accounts[7]
    company.user_of(leaver).update(status="DEPROVISIONED", statusChanged=datetime.now(UTC).isoformat())
    second, third = watcher.tick(), watcher.tick()

    assert [tick.errors for tick in (first, second, third)] == [[], [], []]
    assert [dict(tick.events) for tick in (first, second, third)] == [{}, {"active_leaver": 1}, {}]
    events = company.project().query("select account_id, kind from history.events")
    assert events.rows() == [(leaver["_id"], "active_leaver")]
    register = "select account_id from findings.register where title = $title and status = 'open'"
    assert company.project().query(register, title="Leaver still active").rows() == [(leaver["_id"],)]
