"""Existing accounts are not reported as created, none is created twice, and ids may be numbers."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from pipeline.remediation import accounts, journal
from pipeline.remediation.plan import Change, Plan
from pipeline.simulator.exchange import Call, Proceed, as_it_is, error
from pipeline.simulator.server import Simulator
from pipeline.sources.accounts import AccountState
from pipeline.sources.sisense.writing import connected
from tests.cases.case import Case, each
from tests.remediation.server import Server

PEOPLE = [
    accounts.DesiredAccount(f"new{number}@example.com", f"new{number}@example.com", role="Viewer")
    for number in range(4)
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Simulator(400, 7) as simulator:
        yield Server(simulator)


def create(
    server: Server, folder: Path, wanted: list[accounts.DesiredAccount] = PEOPLE
) -> list[accounts.AccountResult]:
    source, credentials = server.source()
    kept = journal.CommandJournal(folder / "access-review.duckdb.journal.jsonl", "users create", "prod")
    patient = dataclasses.replace(source, timeout_seconds=20)
    return accounts.create(
        lambda: connected(patient, credentials), kept, wanted, lambda: None, lambda outcome, secret: None
    )


def named(server: Server, user_name: str) -> int:
    return sum(user["userName"] == user_name for user in server.store.users)


def test_two_processes_with_one_file_create_each_account_once(server: Server, tmp_path: Path) -> None:
    server.play([], [])
    server.simulator.sisense.intercept = as_it_is
    outcomes: list[list[accounts.AccountResult]] = []
    threads = [threading.Thread(target=lambda: outcomes.append(create(server, tmp_path))) for _ in range(2)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for wanted, pair in zip(PEOPLE, zip(*outcomes, strict=True), strict=True):
        assert sorted(outcome.state for outcome in pair) == ["created", "exists"]
        assert named(server, wanted.user_name) == 1
    assert not list(tmp_path.glob("*.lock"))


@pytest.mark.parametrize("status", [400, 409, 422])
def test_an_account_that_another_process_has_just_created_is_reported_as_existing(
    server: Server, tmp_path: Path, status: int
) -> None:
    server.play([], [])

    async def taken(call: Call, proceed: Proceed) -> Response:
        response = await proceed(call)
        return error(status, 0, "taken") if call.method == "POST" and not call.is_login else response

    server.simulator.sisense.intercept = taken

    [outcome] = create(server, tmp_path, PEOPLE[:1])

    assert outcome.state == "exists"
    assert outcome.account_id is not None


def test_an_account_is_read_inside_a_running_event_loop(server: Server) -> None:
    server.play([], [])
    server.simulator.sisense.intercept = as_it_is
    source, credentials = server.source()
    user_name = server.store.users[0]["userName"]

    async def notebook_cell() -> dict[str, Any]:
        return accounts.get(
            lambda: connected(dataclasses.replace(source, timeout_seconds=20), credentials), user_name
        )

    assert asyncio.run(notebook_cell())["user_name"] == user_name


class Numbers:
    """A server that writes every id as a number, and refuses ids as text."""

    def __init__(self) -> None:
        self.by_number: dict[str, str] = {}

    def number(self, match: re.Match[bytes]) -> bytes:
        hexadecimal = match[1].decode()
        number = str(10**9 + int(hexadecimal, 16) % 10**9)
        assert self.by_number.setdefault(number, hexadecimal) == hexadecimal
        return number.encode()

    def identity(self, text: str, quote: str = "") -> str:
        return re.sub(r"\b1\d{9}\b", lambda m: f"{quote}{self.by_number.get(m[0], m[0])}{quote}", text)

    async def __call__(self, call: Call, proceed: Proceed) -> Response:
        if re.search(rb'"1\d{9}"', call.body):
            return error(422, 0, "an id is a number")
        call.path = self.identity(call.path)
        call.query = {key: self.identity(value) for key, value in call.query.items()}
        call.body = self.identity(call.body.decode(), '"').encode()
        response = await proceed(call)
        body = re.sub(rb'"([0-9a-f]{24})"', self.number, bytes(response.body))
        return Response(body, response.status_code, media_type=response.media_type)


@pytest.mark.parametrize("action", ["deactivate", "change_role", "remove_from_groups"])
def test_an_account_whose_ids_are_numbers_is_changed(server: Server, tmp_path: Path, action: str) -> None:
    server.play([], [])
    numbers = Numbers()
    server.simulator.sisense.intercept = numbers
    user = next(
        u
        for u in server.store.users
        if u.get("active")
        and len(u.get("groups") or ()) > 2
        and u["_id"] != server.store.caller_id
        and server.store.roles.get(u.get("roleId"), {}).get("name") == "contributor"
    )
    record: dict[str, Any] = json.loads(re.sub(rb'"([0-9a-f]{24})"', numbers.number, json.dumps(user).encode()))
    viewer = next(key for key, role in server.store.roles.items() if role["name"] == "consumer")
    found = AccountState.of(record)
    request: dict[str, Any] = {
        "deactivate": {"active": False},
        "change_role": {"roleId": numbers.number(re.match(b"(.*)", viewer.encode())).decode()},  # type: ignore[arg-type]
        "remove_from_groups": {"groups": list(found.groups)[1:]},
    }[action]
    change = Change("change-0", "prod", found.account_id, found.user_name, action, "because", request, found.fields)
    assert found.account_id.isdigit()

    entries = server.apply(Plan({}, (change,)), tmp_path / "plan.json")

    assert entries["change-0"].state == "applied", entries["change-0"].detail
    now = server.store.by_id[user["_id"]]
    assert {
        "deactivate": now["active"] is False,
        "change_role": now["roleId"] == viewer,
        "remove_from_groups": len(now["groups"]) == len(user["groups"]) - 1,
    }[action]


GROUPS = [
    Case("groups", "a list of ids", "read", (["b", "a"], ("a", "b"), False)),
    Case("groups", "objects", "read", ([{"_id": "b"}, {"_id": 7}], ("7", "b"), False)),
    Case("groups", "one id outside a list", "read", ("abc", ("abc",), False)),
    Case("groups", "one object outside a list", "read", ({"_id": "a"}, ("a",), False)),
    Case("groups", "none", "read", (None, (), False)),
    Case("groups", "null in a list", "names nothing", ([None, "a"], ("a",), False)),
    Case("groups", "an empty object", "unreadable", ({}, (), True)),
    Case("groups", "a list in a list", "unreadable", ([["a"], "b"], ("b",), True)),
    Case("groups", "a truth value", "unreadable", (True, (), True)),
]


@each(GROUPS)
def test_the_groups_of_an_account_are_read_as_the_report_reads_them(case: Case) -> None:
    given, groups, is_unreadable = case.content

    found = AccountState.of({"_id": "x", "groups": given})

    assert (found.groups, found.has_unreadable_groups) == (groups, is_unreadable)


def test_unreadable_groups_are_not_changed(server: Server, tmp_path: Path) -> None:
    server.play([], [])
    user = next(
        u
        for u in server.store.users
        if u.get("active")
        and len(u.get("groups") or ()) > 1
        and u["_id"] != server.store.caller_id
        and server.store.roles.get(u.get("roleId"), {}).get("name") == "contributor"
    )
    server.store.put({**user, "groups": [*user["groups"], [user["groups"][0]]]})
    found = AccountState.of(user)
    change = Change(
        "change-0",
        "prod",
        found.account_id,
        found.user_name,
        "remove_from_groups",
        "because",
        {"groups": list(found.groups)[1:]},
        found.fields,
    )

    entry = server.apply(Plan({}, (change,)), tmp_path / "plan.json")["change-0"]

    assert (entry.state, entry.detail) == ("skipped", "its groups cannot be read")
    assert server.acting.sent == []
