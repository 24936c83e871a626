"""Accounts through SCIM, and their roles by REST: nothing is sent twice, and every change is read back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline import resources
from pipeline.errors import ContentError, GateError, SourceError, UsageError
from pipeline.remediation import accounts, groups
from pipeline.remediation.accounts import AccountResult, DesiredAccount
from pipeline.remediation.journal import CommandJournal
from pipeline.settings import Credentials, Secret, SourceSettings
from pipeline.simulator.population import SMALLEST
from pipeline.simulator.server import Simulator
from pipeline.sources.errors import NoScimError
from pipeline.sources.scim.provisioning import connected_by_scim
from pipeline.warehouse.policy import PolicyFiles
from tests.fakes.http import HttpServer, Reply, Request
from tests.sources.conftest import Waiting

POLICY = PolicyFiles(resources.reference_data(), None, ())
NEW = DesiredAccount("new@example.com", "new@example.com", "New", "Comer", "Designer", ())


@pytest.fixture
def simulator() -> Any:
    with Simulator(SMALLEST) as running:
        yield running


@pytest.fixture
def journal(tmp_path: Path) -> CommandJournal:
    return CommandJournal(tmp_path / "journal.jsonl", "a test", "prod")


def lines(journal: CommandJournal) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.path.read_text(encoding="utf-8").splitlines()]


def connect(simulator: Simulator, *, scim_url: str | None = None, token: str | None = None) -> Callable[[], Any]:
    waiting = Waiting()
    source = SourceSettings(
        name="prod",
        kind="sisense",
        url=simulator.url,
        scim_url=scim_url or simulator.scim_url,
        username=simulator.username,
        page_size=37,
    )
    credentials = Credentials(simulator.username, Secret(simulator.password), None)
    return lambda: connected_by_scim(
        source, credentials, Secret(token or simulator.scim_token), clock=waiting.clock, sleep=waiting.sleep
    )


def create(simulator: Simulator, journal: CommandJournal, **options: Any) -> AccountResult:
    [group] = [g for g in simulator.sisense.store.groups.values() if g["name"] == simulator_group(simulator)]
    wanted = DesiredAccount(NEW.user_name, NEW.email, NEW.first_name, NEW.last_name, NEW.role, (group["name"],))
    [outcome] = accounts.create(connect(simulator, **options), journal, [wanted], lambda: None, lambda *_: None)
    return outcome


def simulator_group(simulator: Simulator) -> str:
    own = set(simulator.sisense.store.builtin_groups.values())
    return next(g["name"] for key, g in simulator.sisense.store.groups.items() if key not in own)


def changes(simulator: Simulator) -> list[tuple[str, str]]:
    return [
        (entry.method, "scim" if "/scim/" in entry.path else "rest")
        for entry in simulator.sisense.log
        if entry.method != "GET" and "login" not in entry.path
    ]


def test_a_joiner_is_created_by_scim_and_gets_role_and_groups_by_rest(
    simulator: Simulator, journal: CommandJournal
) -> None:
    outcome = create(simulator, journal)

    assert outcome.state == "created", outcome.detail
    assert changes(simulator) == [("POST", "scim"), ("PATCH", "rest")]
    account = simulator.sisense.store.by_id[str(outcome.account_id)]
    assert simulator.sisense.store.roles[account["roleId"]]["name"] == "contributor"
    assert len(account["groups"]) == 1
    assert account["createdSso"] is True


def test_status_and_names_go_by_scim_and_other_fields_stay(simulator: Simulator, journal: CommandJournal) -> None:
    created = create(simulator, journal)
    before = simulator.sisense.store.by_id[str(created.account_id)]

    renamed = accounts.change(
        connect(simulator), journal, POLICY, DesiredAccount("new@example.com", last_name="Married")
    )
    off = accounts.change(connect(simulator), journal, POLICY, DesiredAccount("new@example.com", active=False))
    again = accounts.change(connect(simulator), journal, POLICY, DesiredAccount("new@example.com", active=False))

    after = simulator.sisense.store.by_id[str(created.account_id)]
    assert (renamed.state, off.state, again.state) == ("changed", "changed", "as it was")
    assert (after["firstName"], after["lastName"], after["active"]) == ("New", "Married", False)
    assert all(after[key] == before[key] for key in ("email", "roleId", "groups"))
    assert changes(simulator)[2:] == [("PATCH", "scim"), ("PATCH", "scim")]


def test_the_guards_hold_for_scim_too(simulator: Simulator, journal: CommandJournal) -> None:
    with pytest.raises(GateError):
        accounts.change(connect(simulator), journal, POLICY, DesiredAccount(simulator.username, active=False))

    assert changes(simulator) == []


def test_a_user_is_deleted_by_scim(simulator: Simulator, journal: CommandJournal) -> None:
    created = create(simulator, journal)

    outcome = accounts.delete(connect(simulator), journal, POLICY, "new@example.com")

    assert outcome.state == "deleted"
    assert created.account_id not in simulator.sisense.store.by_id
    assert changes(simulator)[-1] == ("DELETE", "scim")


def between(simulator: Simulator, meddle: Callable[[Request, Callable[[], Reply]], Reply]) -> HttpServer:
    """Put a proxy in front of the SCIM endpoint."""
    import httpx

    def answer(request: Request) -> Reply:
        def forward() -> Reply:
            reply = httpx.request(
                request.method,
                simulator.scim_url + request.path,
                params=request.query,
                headers={"Authorization": f"Bearer {request.bearer}", "Content-Type": "application/json"},
                content=request.body,
                timeout=20,
            )
            return Reply(reply.status_code, reply.content, "application/scim+json")

        return meddle(request, forward)

    return HttpServer(answer)


def test_a_user_created_despite_an_error_still_gets_its_role(simulator: Simulator, journal: CommandJournal) -> None:
    def made_then_504(request: Request, forward: Callable[[], Reply]) -> Reply:
        reply = forward()
        return Reply(504) if request.method == "POST" else reply

    with between(simulator, made_then_504) as proxy:
        outcome = create(simulator, journal, scim_url=proxy.url)

    assert outcome.state == "created", outcome.detail
    assert changes(simulator) == [("POST", "scim"), ("PATCH", "rest")]


def test_a_server_without_patch_gets_the_whole_user(simulator: Simulator, journal: CommandJournal) -> None:
    create(simulator, journal)

    def no_patch(request: Request, forward: Callable[[], Reply]) -> Reply:
        return Reply(501, b"{}") if request.method == "PATCH" else forward()

    with between(simulator, no_patch) as proxy:
        outcome = accounts.change(
            connect(simulator, scim_url=proxy.url),
            journal,
            POLICY,
            DesiredAccount("new@example.com", first_name="Ann"),
        )

    account = simulator.sisense.store.by_id[str(outcome.account_id)]
    assert outcome.state == "changed", outcome.detail
    assert (account["firstName"], account["lastName"], account["email"]) == ("Ann", "Comer", "new@example.com")
    assert changes(simulator)[-1] == ("PUT", "scim")


@pytest.mark.parametrize("how", ["refused", "ignored"])
def test_a_server_that_does_not_filter_is_read_to_its_end(
    simulator: Simulator, journal: CommandJournal, how: str
) -> None:
    create(simulator, journal)

    def no_filter(request: Request, forward: Callable[[], Reply]) -> Reply:
        if how == "refused" and "filter" in request.query:
            return Reply(501, b"{}")
        request.query.pop("filter", None)
        return forward()

    with between(simulator, no_filter) as proxy:
        outcome = accounts.change(
            connect(simulator, scim_url=proxy.url), journal, POLICY, DesiredAccount("new@example.com", active=False)
        )

    assert outcome.state == "changed", outcome.detail


def test_an_account_that_scim_does_not_have_is_not_touched(simulator: Simulator, journal: CommandJournal) -> None:
    create(simulator, journal)

    def empty(request: Request, forward: Callable[[], Reply]) -> Reply:
        return Reply(200, b'{"totalResults": 0, "Resources": []}', "application/scim+json")

    with between(simulator, empty) as proxy, pytest.raises(ContentError, match="has no users"):
        accounts.change(
            connect(simulator, scim_url=proxy.url), journal, POLICY, DesiredAccount("new@example.com", active=False)
        )

    assert len(changes(simulator)) == 2


def test_a_refused_token_is_reported_before_anything_is_sent(simulator: Simulator) -> None:
    async def open_it() -> None:
        async with connect(simulator, token="wrong-scim-token")():
            pass

    with pytest.raises(NoScimError) as caught:
        asyncio.run(open_it())

    assert "wrong-scim-token" not in str(caught.value)
    assert changes(simulator) == []


def members_of(simulator: Simulator, name: str) -> set[str]:
    store = simulator.sisense.store
    [group_id] = [key for key, group in store.groups.items() if group["name"] == name]
    return set(store.members[group_id])


def test_a_group_is_created_filled_renamed_and_deleted(simulator: Simulator, journal: CommandJournal) -> None:
    store = simulator.sisense.store
    one, two = [user for user in store.users if "@" in str(user.get("userName"))][:2]
    roles = {user["_id"]: user.get("roleId") for user in store.users}

    made = groups.create(connect(simulator), journal, "Newcomers", [one["userName"]])
    again = groups.create(connect(simulator), journal, "newcomers", [])
    assert members_of(simulator, "Newcomers") == {one["_id"]}
    changed = groups.change(
        connect(simulator), journal, "Newcomers", rename="Joiners", add=[two["userName"]], remove=[one["userName"]]
    )
    assert members_of(simulator, "Joiners") == {two["_id"]}
    same = groups.change(connect(simulator), journal, "Joiners", add=[two["userName"]])
    deleted = groups.delete(connect(simulator), journal, "Joiners")

    states = [outcome.state for outcome in (made, again, changed, same, deleted)]
    assert states == ["created", "exists", "changed", "as it was", "deleted"]
    assert not [group for group in store.groups.values() if group["name"] in {"Newcomers", "Joiners"}]
    assert changes(simulator) == [("POST", "scim"), ("PATCH", "scim"), ("DELETE", "scim")]
    assert {user["_id"]: user.get("roleId") for user in store.users} == roles


def test_unknown_names_fail_before_anything_is_sent(simulator: Simulator, journal: CommandJournal) -> None:
    name = simulator_group(simulator)

    with pytest.raises(UsageError, match="no user 'nobody'"):
        groups.create(connect(simulator), journal, "Newcomers", ["nobody"])
    with pytest.raises(UsageError, match="no group 'Everyone'"):
        groups.delete(connect(simulator), journal, "Everyone")
    with pytest.raises(UsageError, match="added and removed"):
        groups.change(connect(simulator), journal, name, add=["a@x"], remove=["A@x"])

    assert changes(simulator) == []


def test_a_change_of_a_group_is_read_back_whatever_the_answer(simulator: Simulator, journal: CommandJournal) -> None:
    name = simulator_group(simulator)

    def done_then_504(request: Request, forward: Callable[[], Reply]) -> Reply:
        reply = forward()
        return Reply(504) if request.method == "POST" else reply

    def said_and_not_done(request: Request, forward: Callable[[], Reply]) -> Reply:
        return Reply(204) if request.method == "PATCH" else forward()

    with between(simulator, done_then_504) as proxy:
        made = groups.create(connect(simulator, scim_url=proxy.url), journal, "Newcomers", [])
    with between(simulator, said_and_not_done) as proxy:
        lost = groups.change(connect(simulator, scim_url=proxy.url), journal, name, rename="Other")

    assert made.state == "created"
    assert lost.state == "unclear"


def test_every_request_is_announced_and_answered_in_the_journal(
    simulator: Simulator, journal: CommandJournal
) -> None:
    outcome = create(simulator, journal)

    written = lines(journal)
    assert [line["state"] for line in written] == ["sending", "answered", "sending", "answered", "created"]
    assert len({line["change_id"] for line in written}) == 1
    assert written[-1]["account_id"] == outcome.account_id
    assert {(line["account"], line["by"], line["source"]) for line in written} == {
        ("new@example.com", simulator.username, "prod")
    }
    first, second = (line["request"] for line in written if line["state"] == "sending")
    assert (first["method"], first["url"]) == ("POST", f"{simulator.scim_url}/Users")
    assert (second["method"], second["url"]) == ("PATCH", f"{simulator.url}/api/v1/users/{outcome.account_id}")
    assert set(second["body"]) == {"roleId", "groups"}


def test_the_journal_has_the_data_to_undo_a_change(simulator: Simulator, journal: CommandJournal) -> None:
    create(simulator, journal)
    before = len(lines(journal))

    accounts.change(connect(simulator), journal, POLICY, DesiredAccount("new@example.com", last_name="Married"))
    groups.create(connect(simulator), journal, "Newcomers", ["new@example.com"])
    groups.delete(connect(simulator), journal, "Newcomers")

    renamed, _, _, made, _, _, deleted, _, gone = lines(journal)[before:]
    assert renamed["previous"] == {"lastName": "Comer"}
    assert made["previous"] is None
    assert deleted["previous"] == {
        "displayName": "Newcomers",
        "members": [made["request"]["body"]["members"][0]["value"]],
    }
    assert (gone["group"], gone["state"]) == ("Newcomers", "deleted")


def test_a_change_that_cannot_be_read_back_is_unclear_in_the_journal(
    simulator: Simulator, journal: CommandJournal
) -> None:
    create(simulator, journal)
    gone = False

    def made_and_gone(request: Request, forward: Callable[[], Reply]) -> Reply:
        nonlocal gone
        gone = gone or request.method == "DELETE"
        return Reply(403) if gone else forward()

    name = simulator_group(simulator)
    with between(simulator, made_and_gone) as proxy, pytest.raises(SourceError):
        groups.delete(connect(simulator, scim_url=proxy.url), journal, name)

    assert [line["state"] for line in lines(journal)[-3:]] == ["sending", "refused", "unclear"]
    assert "not read back" in lines(journal)[-1]["detail"]


def test_a_change_that_cannot_be_journalled_is_not_sent(simulator: Simulator, journal: CommandJournal) -> None:
    journal.path.mkdir()

    with pytest.raises(UsageError, match="journal cannot be used"):
        create(simulator, journal)

    assert changes(simulator) == []


def test_a_truncated_line_does_not_affect_the_next(simulator: Simulator, journal: CommandJournal) -> None:
    journal.path.write_bytes(b'{"change_id":"a","state":"sending"}\n{"change_id":"b","sta')

    create(simulator, journal)

    assert [line["state"] for line in lines(journal)][:2] == ["sending", "sending"]
