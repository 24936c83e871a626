"""Watching a Sisense beside Entra ID: a leaver of the directory is an event and a finding at the next tick."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnreachableError
from pipeline.project import Project
from pipeline.settings import load_settings
from pipeline.simulator.server import Simulator
from pipeline.watch.watcher import Watcher
from tests.e2e.program import disable_rules
from tests.fakes.entra import CLIENT_ID, CLIENT_SECRET, TENANT, FakeEntra, make_users
from tests.fakes.http import HttpServer, Reply, Request

CONFIGURATION = """
[organization]
email_domains = ["example.com"]
[sources.prod]
kind = "sisense"
url = "{sisense}"
username = "{username}"
objects = false
[sources.idp]
kind = "entra"
url = "{entra}"
authority = "{entra}"
tenant = "{tenant}"
client_id = "{client}"
application = "spn"
max_attempts = 1
give_up_after_seconds = 1
[roster]
source = "idp"
"""


@dataclass
class Company:
    """A Sisense beside an Entra ID whose users have its addresses, and the watcher of both."""

    simulator: Simulator
    accounts: list[dict[str, Any]]
    users: list[dict[str, Any]]
    project: Project
    watcher: Watcher
    is_entra_down: bool = False


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Simulator(20, 7) as simulator:
        store = simulator.sisense.store
        accounts = [user for user in store.users if user.get("active") is True and user.get("email")]
        accounts = [user for user in accounts if user["_id"] != store.caller_id]
        users = make_users(len(accounts))
        for user, account in zip(users, accounts, strict=True):
            user |= {"accountEnabled": True, "mail": account["email"], "userPrincipalName": account["userName"]}
            user["proxyAddresses"] = []
        entra = FakeEntra(users, assigned=[(user["id"], "User") for user in users])

        def answer(request: Request) -> Reply:
            return Reply(status=503) if made.is_entra_down else entra.answer(request)

        with HttpServer(answer) as http:
            text = CONFIGURATION.format(
                sisense=simulator.url, username=simulator.username, entra=http.url, tenant=TENANT, client=CLIENT_ID
            )
            (tmp_path / "access-review.toml").write_text(text, encoding="utf-8")
            disable_rules(tmp_path)
            secrets = {
                "ACCESS_REVIEW_PROD_PASSWORD": simulator.password,
                "ACCESS_REVIEW_IDP_CLIENT_SECRET": CLIENT_SECRET,
            }
            project = Project(load_settings(tmp_path / "access-review.toml"), secrets)
            made = Company(simulator, accounts, users, project, Watcher(project, []))
            yield made


def test_watch_reports_a_leaver_of_entra_at_the_next_tick(company: Company) -> None:
    first = company.watcher.tick()
    company.users[3]["accountEnabled"] = False
    second = company.watcher.tick()

    assert [tick.errors for tick in (first, second)] == [[], []]
    assert [dict(tick.events) for tick in (first, second)] == [{}, {"active_leaver": 1}]
    events = company.project.query("select account_id, kind from history.events")
    assert events.rows() == [(company.accounts[3]["_id"], "active_leaver")]
    register = "select account_id from findings.register where title = $title and status = 'open'"
    assert company.project.query(register, title="Leaver still active").rows() == [(company.accounts[3]["_id"],)]


def test_while_entra_is_down_accounts_are_compared_and_no_leaver_is_missed_or_repeated(company: Company) -> None:
    ticks = [company.watcher.tick()]
    company.is_entra_down = True
    company.users[3]["accountEnabled"] = False
    company.simulator.sisense.store.create({"email": "new@example.com", "roleId": company.accounts[0]["roleId"]})
    ticks.append(company.watcher.tick())
    for company.is_entra_down in (False, True, False):
        ticks.append(company.watcher.tick())

    failures = [type(error) for tick in ticks for error in tick.errors]
    assert failures == [UnreachableError, UnreachableError]
    assert [tick.events.get("joiner", 0) for tick in ticks] == [0, 1, 0, 0, 0]
    assert [tick.events.get("active_leaver", 0) for tick in ticks] == [0, 0, 1, 0, 0]
    assert [list(tick.incomplete) for tick in ticks] == [[], ["idp"], [], ["idp"], []]
    assert [tick.exit_code for tick in ticks] == [0, 3, 0, 3, 0]
