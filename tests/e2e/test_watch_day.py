"""A day of watching: the log of events is right in spite of outages, kills and sinks that fail."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from pipeline.errors import UnreachableError
from pipeline.project import Project
from pipeline.settings import Secret, load_settings
from pipeline.simulator.server import Simulator
from pipeline.warehouse import database
from pipeline.watch.sinks import FileSink, WebhookSink
from pipeline.watch.watcher import Tick, Watcher
from tests.e2e.conftest import configured_hastily
from tests.fakes.http import HttpServer, Reply, Request

SECRET = "whsec_c3ludGhldGljLXNlY3JldC1mb3ItdGVzdHM="
TICKS = 7
KILLED_AT = {2: "land ...", 5: "build ..."}
#: Ticks at which the source is down, its groups cannot be read, or the receiver is down.
DOWN, PARTIAL, DEAF = (1,), (3,), (2, 3, 4)
#: Ticks at which the watcher is killed after the receiver has an event, before the database records that.
KILLED_BY_RECEIVER = 6
#: The ``day`` is made once, by one worker.
OF_THE_DAY = pytest.mark.xdist_group("watch")

Event = dict[str, Any]
#: The state of a Sisense: each account's names, status and role, with the ids of its groups.
State = dict[str, tuple[dict[str, Any], frozenset[str]]]


@dataclass
class Receiver:
    """Receives signed events. Every third message is refused, cut off, or accepted without an answer."""

    is_down: bool = False
    kills: subprocess.Popen[str] | None = None
    messages: int = 0
    taken: list[Event] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        event = Webhook(SECRET).verify(request.body, request.headers)
        assert request.headers["webhook-id"] == event["event_id"]
        if self.kills is not None:
            self.taken.append(event)
            self.kills.kill()
            self.kills.wait(timeout=60)
            return Reply(reset=True)
        self.messages += 1
        if self.is_down or self.messages % 9 == 3:
            return Reply(status=500)
        if self.messages % 9 == 6:
            return Reply(reset=True)
        self.taken.append(event)
        return Reply(reset=True) if self.messages % 9 == 0 else Reply(status=204)


@dataclass
class Day:
    """A Sisense in which people come, go and change, and the watcher of it."""

    simulator: Simulator
    folder: Path
    receiver: Receiver
    sinks: list[Any]
    address: str
    chance: random.Random = field(default_factory=lambda: random.Random(20261125))
    now: datetime = datetime(2026, 11, 25, tzinfo=UTC)
    born: int = 0
    ticks: list[Tick] = field(default_factory=list)
    taken_before_a_kill: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {"ACCESS_REVIEW_PROD_PASSWORD": self.simulator.password, "ACCESS_REVIEW_WEBHOOK_SECRET": SECRET}

    @property
    def events_file(self) -> Path:
        return self.folder / "events.jsonl"

    def watcher(self) -> Watcher:
        project = Project(load_settings(self.folder / "access-review.toml"), self.environment)
        return Watcher(project, self.sinks, sleep=lambda _: None)

    def tick(self) -> Tick:
        self.ticks.append(self.watcher().tick())
        return self.ticks[-1]

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "pipeline", "watch", *arguments, "--sink", str(self.events_file)]

    def process(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command("--once", *arguments),
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def killed_by_receiver(self) -> str:
        """Run ``watch`` until the receiver has an event, and kill it before it gets the answer."""
        process = self.process("--sink", self.address)
        self.receiver.kills = process
        _, said = process.communicate(timeout=120)
        self.receiver.kills = None
        assert process.returncode == -signal.SIGKILL, said
        return str(self.receiver.taken[-1]["event_id"])

    def killed_at(self, line: str) -> None:
        """Run ``watch`` until it prints that line, and kill it there."""
        process = self.process()
        assert process.stderr is not None
        with process.stderr as said:
            assert any(heard.strip() == line for heard in said), f"it never came to {line!r}"
            process.kill()
        assert process.wait(timeout=60) == -signal.SIGKILL

    def change_something(self) -> None:
        store, chance = self.simulator.sisense.store, self.chance
        for _ in range(chance.randrange(10, 20)):
            user = chance.choice([u for u in store.users if u["_id"] != store.caller_id])
            groups = [group for group, shown in store.groups.items() if shown["name"] not in store.builtin_groups]
            what = chance.choice(("create", "delete", "role", "active", "groups", "groups", "names", "login"))
            if what == "create":
                self.born += 1
                fields = {"email": f"born{self.born}@example.com", "groups": chance.sample(groups, 2)}
                if chance.random() < 0.5:
                    fields["password"] = "synthetic-1"
                store.create({**fields, "roleId": chance.choice(list(store.roles))})
            elif what == "delete":
                store.delete(user["_id"])
            elif what == "role":
                store.update(user["_id"], {"roleId": chance.choice(list(store.roles))})
            elif what == "active":
                store.update(user["_id"], {"active": user.get("active") is not True})
            elif what == "groups":
                store.update(user["_id"], {"groups": chance.sample(groups, chance.randrange(4))})
            elif what == "names":
                self.born += 1
                store.update(user["_id"], {"userName": f"renamed{self.born}", "lastName": f"Renamed{self.born}"})
            else:
                store.by_id[user["_id"]]["lastLogin"] = "2026-11-20T10:00:00.000Z"

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with database.reading(self.folder / "access-review.duckdb", notify=pytest.fail) as connection:
            return connection.execute(sql).fetchall()

    def state(self, snapshot_id: str) -> State:
        accounts = self.query(
            "select account_id, user_name, email, display_name, status, role_id from history.accounts "
            f"where snapshot_id = '{snapshot_id}'"
        )
        names = ("user_name", "email", "display_name", "status", "role_id")
        memberships = self.query(
            f"select account_id, group_id from history.memberships where snapshot_id = '{snapshot_id}'"
        )
        groups: dict[str, set[str]] = {}
        for account_id, group_id in memberships:
            groups.setdefault(account_id, set()).add(group_id)
        return {
            account_id: (dict(zip(names, values, strict=True)), frozenset(groups.get(account_id, ())))
            for account_id, *values in accounts
        }


def replay(state: State, events: list[Event]) -> State:
    """Apply the log in order, and check that every old value in it was the value at that point."""
    now = {account_id: (dict(fields), set(groups)) for account_id, (fields, groups) in state.items()}
    for event in events:
        account_id, kind = event["account_id"], event["kind"]
        if kind == "joiner":
            assert account_id not in now
            now[account_id] = (dict(event["state"]), set())
            continue
        fields, groups = now[account_id]
        if kind == "leaver":
            assert (fields, groups) == (event["state"], set())
            del now[account_id]
        elif kind == "group_added":
            assert event["new_value"] not in groups
            groups.add(event["new_value"])
        elif kind == "group_removed":
            groups.remove(event["old_value"])
        elif event["field"] in fields:
            name = {"role": "role_id"}.get(event["field"], event["field"])
            assert fields[name] == event["old_value"] != event["new_value"]
            fields[name] = event["new_value"]
        elif event["field"] == "role":
            assert fields["role_id"] == event["old_value"] != event["new_value"]
            fields["role_id"] = event["new_value"]
        else:
            assert kind in {"privilege_gained", "privilege_lost", "login_after_end", "active_leaver"}
    return {account_id: (fields, frozenset(groups)) for account_id, (fields, groups) in now.items()}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("watch")
    receiver = Receiver()
    with Simulator(100, 7) as simulator, HttpServer(receiver.answer) as server:
        configured_hastily(simulator, folder)
        clock = datetime.now(UTC).timestamp
        sinks = [
            FileSink(folder / "events.jsonl"),
            WebhookSink(f"{server.url}/hook", Secret(SECRET), clock=clock, sleep=lambda _: None),
        ]
        day = Day(simulator, folder, receiver, sinks, f"{server.url}/hook")
        for number in range(TICKS):
            simulator.sisense.outage = lambda _: False
            if number in KILLED_AT:
                day.killed_at(KILLED_AT[number])
                day.change_something()
            if number == KILLED_BY_RECEIVER:
                day.taken_before_a_kill = day.killed_by_receiver()
                day.change_something()
            if number in DOWN:
                simulator.sisense.outage = lambda _: True
            elif number in PARTIAL:
                simulator.sisense.outage = lambda call: call.path.endswith("/groups")
            receiver.is_down = number in DEAF
            day.tick()
            if number == 4:  # killed while it wrote a line
                with day.events_file.open("ab") as file:
                    file.write(b'{"position":99999,"event_id":"to')
            day.change_something()
        simulator.sisense.outage = lambda _: False
        receiver.is_down = False
        last = day.tick()
        assert last.errors == []
        yield day


@OF_THE_DAY
def test_replaying_the_log_over_the_first_extract_gives_the_last(day: Day) -> None:
    compared = [tick for tick in day.ticks if tick.compared_with]
    first, last = compared[0], compared[-1]
    lines = [json.loads(line) for line in day.events_file.read_text(encoding="utf-8").splitlines()]

    replayed = replay(day.state(str(first.snapshot_id)), lines)

    assert len(lines) > TICKS
    assert first.compared_with == {"prod": None}
    assert replayed == day.state(str(last.snapshot_id))


@OF_THE_DAY
def test_the_last_extract_equals_the_instance(day: Day) -> None:
    store = day.simulator.sisense.store
    compared = [tick for tick in day.ticks if tick.compared_with]

    state = day.state(str(compared[-1].snapshot_id))

    assert {account: fields["role_id"] for account, (fields, _) in state.items()} == {
        user["_id"]: user.get("roleId") for user in store.users
    }
    for group_id, members in store.members.items():
        inside = {account for account, (_, groups) in state.items() if group_id in groups}
        assert inside >= {member for member in members if member in store.by_id}


@OF_THE_DAY
def test_the_file_has_each_event_once_and_in_order(day: Day) -> None:
    logged = day.query("select position, event_id from history.events order by position")
    lines = [json.loads(line) for line in day.events_file.read_text(encoding="utf-8").splitlines()]

    assert [(line["position"], line["event_id"]) for line in lines] == logged
    assert [position for position, _ in logged] == list(range(1, len(logged) + 1))
    assert len({event_id for _, event_id in logged}) == len(logged)


@OF_THE_DAY
def test_the_receiver_has_every_event_and_can_recognise_repeats(day: Day) -> None:
    logged = [row[0] for row in day.query("select event_id from history.events order by position")]

    taken = [event["event_id"] for event in day.receiver.taken]

    assert list(dict.fromkeys(taken)) == logged
    assert len(taken) > len(logged), "no answer was lost, so no event was sent twice"
    assert taken.count(day.taken_before_a_kill) == 2
    assert logged.count(day.taken_before_a_kill) == 1


@OF_THE_DAY
def test_events_wait_for_a_receiver_that_is_down_for_many_ticks(day: Day) -> None:
    deaf = [day.ticks[number] for number in DEAF]

    assert {tick.delivered["http://" + day.address.split("/")[2]] for tick in deaf} == {0}
    assert any(tick.events for tick in deaf)
    assert all(any("not accepted" in str(error) for error in tick.errors) for tick in deaf[:1])


@OF_THE_DAY
def test_outages_and_partial_extracts_are_reported_but_are_not_events(day: Day) -> None:
    down = [tick for tick in day.ticks if tick.snapshot_id is None]
    partial = [tick for tick in day.ticks if tick.completeness == "PARTIAL"]

    assert down
    assert partial
    assert all(isinstance(tick.errors[0], UnreachableError) for tick in down)
    assert all(tick.waits and not tick.events for tick in partial)
    told = "select distinct snapshots.completeness from history.events join meta.snapshots using (snapshot_id)"
    assert day.query(told) == [("FULL",)]


@OF_THE_DAY
def test_every_kind_of_event_has_its_effect_on_privilege(day: Day) -> None:
    kinds = {row[0] for row in day.query("select distinct kind from history.events")}
    effects = day.query("select distinct kind, privileged_effect from history.events where kind like 'privilege%'")

    assert kinds >= {
        "joiner",
        "mover",
        "leaver",
        "privilege_gained",
        "privilege_lost",
        "reactivated",
        "deactivated",
        "changed",
        "group_added",
        "group_removed",
    }
    assert set(effects) == {("privilege_gained", "gained"), ("privilege_lost", "lost")}
