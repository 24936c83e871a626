"""Watching a Sisense beside Entra ID: a leaver of the directory is an event and a finding at the next tick."""

from __future__ import annotations

from pathlib import Path

from pipeline.project import Project
from pipeline.settings import load_settings
from pipeline.simulator.server import Simulator
from pipeline.watch.watcher import Watcher
from tests.fakes.entra import CLIENT_ID, CLIENT_SECRET, TENANT, FakeEntra, make_users
from tests.fakes.http import HttpServer

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
[roster]
source = "idp"
"""


def test_watch_reports_a_leaver_of_entra_at_the_next_tick(tmp_path: Path) -> None:
    with Simulator(20, 7) as simulator:
        store = simulator.sisense.store
        accounts = [user for user in store.users if user.get("active") is True and user.get("email")]
        accounts = [user for user in accounts if user["_id"] != store.caller_id]
        users = make_users(len(accounts))
        for user, account in zip(users, accounts, strict=True):
            user |= {"accountEnabled": True, "mail": account["email"], "userPrincipalName": account["userName"]}
            user["proxyAddresses"] = []
        entra = FakeEntra(users, assigned=[(user["id"], "User") for user in users])
        with HttpServer(entra.answer) as http:
            text = CONFIGURATION.format(
                sisense=simulator.url, username=simulator.username, entra=http.url, tenant=TENANT, client=CLIENT_ID
            )
            (tmp_path / "access-review.toml").write_text(text, encoding="utf-8")
            secrets = {
                "ACCESS_REVIEW_PROD_PASSWORD": simulator.password,
                "ACCESS_REVIEW_IDP_CLIENT_SECRET": CLIENT_SECRET,
            }
            project = Project(load_settings(tmp_path / "access-review.toml"), secrets)
            watcher = Watcher(project, [])
            first = watcher.tick()
            users[3]["accountEnabled"] = False
            second = watcher.tick()

    assert [tick.errors for tick in (first, second)] == [[], []]
    assert [dict(tick.events) for tick in (first, second)] == [{}, {"active_leaver": 1}]
    events = project.query("select account_id, kind from history.events")
    assert events.rows() == [(accounts[3]["_id"], "active_leaver")]
    register = "select account_id from findings.register where title = $title and status = 'open'"
    assert project.query(register, title="Leaver still active").rows() == [(accounts[3]["_id"],)]
