"""Applying a plan while the server lies, hangs or drops connections: the journal is true, nothing is sent twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from starlette.responses import HTMLResponse, Response

from pipeline import resources
from pipeline.errors import GateError, SourceError, UsageError
from pipeline.remediation import applying, journal
from pipeline.remediation.plan import FIELDS, Change, Plan
from pipeline.settings import Credentials, Secret, SourceSettings
from pipeline.simulator.exchange import Call, Proceed, as_it_is, error, json_response
from pipeline.simulator.server import Simulator
from pipeline.sources.accounts import AccountState
from pipeline.warehouse.policy import PolicyFiles
from tests.search import looking_for

OPERATOR = applying.Operator("Bo Dahl", "bo@example.com", is_single=False)
#: Seconds that the client waits for an answer; only missing answers take so long.
PATIENCE = 0.3

#: Faults of one change: whether and when it is made, and the answer to it.
MADE = ("answered", "504", "500", "429", "cut", "hangs", "a page", "refused")
NOT_MADE = ("504", "500", "429", "cut", "hangs", "answered", "a page", "refused")
FAULTS = st.one_of(
    st.tuples(st.just("made"), st.sampled_from(MADE)),
    st.tuples(st.just("not made"), st.sampled_from(NOT_MADE)),
    # The server makes the change only after this number of readings.
    st.tuples(st.integers(1, 2), st.sampled_from(("504", "cut", "answered"))),
)
READS = st.sampled_from(("fine", "fine", "fine", "503 once", "cut once", "503 for long"))


class KilledError(BaseException):
    """Ends the program between two steps."""


@dataclass
class Misbehaviour:
    """Intercepts requests: each change uses up one of ``faults``, each reading back one of ``reads``."""

    store: Any
    faults: list[tuple[str | int, str]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    release: asyncio.Event | None = None
    late: list[tuple[int, Callable[[], None]]] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)
    needless: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    async def __call__(self, call: Call, proceed: Proceed) -> Response:
        if call.method == "GET" or call.is_login:
            return await self._read(call, proceed)
        self.sent.append((call.method, call.path))
        account = self.store.by_id[call.path.rpartition("/")[2]]
        document = json.loads(call.body)
        if all(account.get(key) == value for key, value in document.items()):
            self.needless.append(account["_id"])
        made, answer = self.faults.pop(0) if self.faults else ("made", "answered")
        self.trouble = [self.reads.pop(0)] if self.reads else []
        if made == "made":
            await proceed(call)
        elif made != "not made":
            self.late.append((int(made), lambda: self.store.update(account["_id"], document)))
        return await self._answer(call, answer, account["_id"])

    async def _read(self, call: Call, proceed: Proceed) -> Response:
        if call.path.startswith("/api/v1/users/"):
            trouble = self.trouble[0] if self.trouble else "fine"
            if trouble != "503 for long":
                self.trouble = []
            if trouble == "cut once":
                call.reset()
                raise ConnectionResetError
            if trouble != "fine":
                return HTMLResponse("<h1>503 Service Unavailable</h1>", 503)
            response = await proceed(call)
            self.pass_time()
            return response
        return await proceed(call)

    def pass_time(self, readings: int = 1) -> None:
        due = [make for left, make in self.late if left <= readings]
        self.late = [(left - readings, make) for left, make in self.late if left > readings]
        for make in due:
            make()

    async def _answer(self, call: Call, answer: str, account_id: str) -> Response:
        if answer == "cut":
            call.reset()
            raise ConnectionResetError
        if answer == "hangs":
            self.release = asyncio.Event()
            await self.release.wait()
        if answer == "a page":
            return HTMLResponse("<h1>Sign in</h1>")
        if answer == "refused":
            return error(403, 105, "Insufficient permissions")
        if answer.isdigit():
            return HTMLResponse(f"<h1>{answer}</h1>", int(answer))
        return json_response(self.store.by_id[account_id])


class Server:
    """A simulator that is reset before each example."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.store = simulator.sisense.store
        self.policy: Path | None = None
        self.play([], [])

    def play(self, faults: list[tuple[str | int, str]], reads: list[str]) -> Misbehaviour:
        self.simulator.sisense.reset()
        self.policy = None
        self.acting = Misbehaviour(self.store, list(faults), list(reads))
        self.simulator.sisense.intercept = self.acting
        return self.acting

    def source(self) -> tuple[SourceSettings, Credentials]:
        source = SourceSettings(
            name="prod", kind="sisense", url=self.simulator.url, timeout_seconds=PATIENCE, max_attempts=4
        )
        return source, Credentials(None, None, Secret(self.simulator.token))

    def apply(
        self, plan: Plan, file: Path, kill_at: int | None = None, now: datetime | None = None
    ) -> dict[str, journal.JournalEntry]:
        """Apply as the command does, without waiting; return the journal on the disk."""
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1
            if steps == kill_at:
                raise KilledError

        def clock() -> datetime:
            step()
            return now or datetime.now(UTC)

        async def sleep(seconds: float) -> None:
            step()
            await asyncio.sleep(0)

        try:
            with journal.opened(file, plan.plan_id, file.with_name("access-review.duckdb")) as opened:
                applying.apply(
                    applying.ApplyingJob(
                        plan,
                        OPERATOR,
                        {"prod": self.source()},
                        PolicyFiles(resources.reference_data(), self.policy, ()),
                    ),
                    opened,
                    lambda _: None,
                    clock=clock,
                    sleep=sleep,
                )
        except (KilledError, SourceError):
            pass
        return journal.read(file, plan.plan_id)

    def made(self, change: Change) -> bool:
        value = self.store.by_id[change.account_id].get(FIELDS[change.action])
        wanted = change.request[FIELDS[change.action]]
        return bool(sorted(value or ()) == sorted(wanted) if isinstance(wanted, list) else value == wanted)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Simulator(400, 7) as simulator:
        yield Server(simulator)


def planned(server: Server, actions: list[str]) -> Plan:
    """Return a plan with one change for each action, each on a different account."""
    store = server.store
    viewer = next(key for key, role in store.roles.items() if role["name"] == "consumer")
    designer = next(key for key, role in store.roles.items() if role["name"] == "contributor")
    accounts = [u for u in store.users if u.get("active") is True and u.get("roleId") == designer and u.get("groups")]
    now = datetime.now(UTC)
    changes = []
    for number, (action, user) in enumerate(zip(actions, accounts, strict=False)):
        request: dict[str, Any] = {
            "deactivate": {"active": False},
            "change_role": {"roleId": viewer},
            "remove_from_groups": {"groups": sorted(user["groups"])[1:]},
        }[action]
        expected = AccountState.of(user).fields
        changes.append(
            Change(f"change-{number}", "prod", user["_id"], user["userName"], action, "because", request, expected)
        )
    assert len(changes) == len(actions)
    basis = {"created_at": now.isoformat(), "extracted_at": now.isoformat(), "selection": {"max_age_hours": 24}}
    return Plan(basis, tuple(changes))


def assert_true(server: Server, plan: Plan, entries: dict[str, journal.JournalEntry]) -> None:
    """Compare the journal's state of each change with the server."""
    late = len(server.acting.late)
    for change in plan.changes:
        entry = entries.get(change.change_id)
        state = "open" if entry is None else entry.state
        if state in {"applied", "skipped"}:
            assert server.made(change), (change.action, entry)
        if state in {"failed", "open"} and not late:
            assert not server.made(change), (change.action, entry)


ACTIONS = st.lists(st.sampled_from(("deactivate", "change_role", "remove_from_groups")), min_size=1, max_size=5)


@pytest.mark.search
@looking_for(quick=15, deep=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    actions=ACTIONS,
    faults=st.lists(FAULTS, max_size=12),
    reads=st.lists(READS, max_size=12),
    kills=st.lists(st.integers(1, 90), max_size=3),
)
def test_the_journal_is_true_and_nothing_is_sent_twice_whatever_the_server_does(
    server: Server,
    tmp_path_factory: pytest.TempPathFactory,
    actions: list[str],
    faults: list[tuple[str | int, str]],
    reads: list[str],
    kills: list[int],
) -> None:
    acting = server.play(faults, reads)
    before = dict(server.store.by_id)
    plan = planned(server, actions)
    file = tmp_path_factory.mktemp("plan") / "plan.json"

    # Each run that is not killed uses up a fault, or completes the plan.
    for kill_at in (*kills, *[None] * (len(faults) + len(reads) + 2)):
        already = len(acting.sent)
        entries = server.apply(plan, file, kill_at)
        acting.trouble = []
        assert_true(server, plan, entries)
        assert max(Counter(acting.sent[already:]).values(), default=0) <= 1
        acting.pass_time(9)  # before the next run, the server completes its pending changes
        if len(entries) == len(plan.changes) and {entry.state for entry in entries.values()} == {"applied"}:
            break

    assert {change.change_id: entries[change.change_id].state for change in plan.changes} == {
        change.change_id: "applied" for change in plan.changes
    }
    assert all(server.made(change) for change in plan.changes)
    touched = {change.account_id for change in plan.changes}
    assert {key for key, user in server.store.by_id.items() if user != before.get(key)} == touched
    assert set(server.store.by_id) == set(before)
    assert {method for method, _ in acting.sent} == {"PATCH"}
    assert acting.needless == []


def skipped_because(server: Server, file: Path, plan: Plan) -> str:
    entries = server.apply(plan, file)
    assert server.acting.sent == []
    [entry] = entries.values()
    assert entry.state == "skipped"
    return str(entry.detail)


def role(server: Server, name: str) -> str:
    return next(key for key, role in server.store.roles.items() if role["name"] == name)


def ranked(folder: Path, name: str, rank: int) -> Path:
    """Write a policy that ranks one role."""
    (folder / "roles.csv").write_text(f"role_name,rank,privileged\n{name},{rank},true\n", encoding="utf-8")
    return folder


LAST = "it would be the last active administrator"
NOT_GUARDED = "changed since the plan: its role has changed"


@pytest.mark.parametrize(
    ("own_role", "other_role", "rank", "said"),
    [
        ("custom_partnerAccess", "consumer", 95, LAST),
        ("custom_partnerAccess", "consumer", 89, NOT_GUARDED),
        # An administrator by policy alone remains when this one is deactivated.
        ("admin", "custom_partnerAccess", 95, NOT_GUARDED),
        ("admin", "custom_partnerAccess", 89, LAST),
    ],
)
def test_an_administrator_by_policy_alone_is_guarded_and_counted(
    server: Server, tmp_path: Path, own_role: str, other_role: str, rank: int, said: str
) -> None:
    server.play([], [])
    plan = planned(server, ["deactivate"])
    [own] = [change.account_id for change in plan.changes]
    other = next(u["_id"] for u in server.store.users if u.get("active") and u["_id"] != own and u.get("roleId"))
    for user in [*server.store.users]:
        if user["_id"] in {own, other}:
            server.store.put({**user, "roleId": role(server, own_role if user["_id"] == own else other_role)})
        elif user["_id"] == server.store.caller_id:
            server.store.put({**user, "roleId": role(server, "tenantAdmin")})
        elif user.get("roleId") in {role(server, name) for name in ("admin", "super", "custom_partnerAccess")}:
            server.store.put({**user, "active": False})
    (tmp_path / "policy").mkdir()
    server.policy = ranked(tmp_path / "policy", "Custom_PartnerAccess", rank)

    assert skipped_because(server, tmp_path / "plan.json", plan) == said


@pytest.mark.parametrize("action", ["deactivate", "change_role"])
def test_an_account_that_became_the_last_administrator_since_the_plan_is_skipped(
    server: Server, tmp_path: Path, action: str
) -> None:
    server.play([], [])
    plan = planned(server, [action])
    [change] = plan.changes
    # The caller manages one tenant only, and all other administrators were deactivated since.
    for user in [*server.store.users]:
        if user["_id"] == change.account_id:
            server.store.put({**user, "roleId": role(server, "admin")})
        elif user["_id"] == server.store.caller_id:
            server.store.put({**user, "roleId": role(server, "tenantAdmin")})
        elif user.get("roleId") in {role(server, "admin"), role(server, "super")}:
            server.store.put({**user, "active": False})

    assert skipped_because(server, tmp_path / "plan.json", plan) == "it would be the last active administrator"


LOST_GROUP = "ffff00000000000000000000"


@pytest.mark.parametrize("kill_at", [None, *range(4, 16, 2)])
def test_a_lost_group_is_dropped_from_the_request_and_noted_in_the_journal(
    server: Server, tmp_path: Path, kill_at: int | None
) -> None:
    server.play([], [])
    [change] = planned(server, ["remove_from_groups"]).changes
    user = server.store.by_id[change.account_id]
    server.store.put({**user, "groups": [*user["groups"], LOST_GROUP]})
    plan = planned(server, ["remove_from_groups"])
    server.simulator.sisense.intercept = as_it_is  # the simulator itself refuses an unknown group

    if kill_at is not None:
        server.apply(plan, tmp_path / "plan.json", kill_at)
    [entry] = server.apply(plan, tmp_path / "plan.json").values()

    assert entry.state == "applied"
    assert LOST_GROUP in str(entry.detail) or kill_at is not None
    assert sorted(server.store.by_id[change.account_id]["groups"]) == sorted(user["groups"])[1:]


def test_a_plan_and_its_copy_are_not_applied_at_once(server: Server, tmp_path: Path) -> None:
    server.play([], [])
    plan = planned(server, ["deactivate"])
    database = tmp_path / "access-review.duckdb"

    with (
        journal.opened(tmp_path / "plan.json", plan.plan_id, database),
        pytest.raises(UsageError, match="or a copy of it"),
        journal.opened(tmp_path / "copy.json", plan.plan_id, database),
    ):
        pass

    assert not list(tmp_path.glob("*.lock"))
    assert server.apply(plan, tmp_path / "copy.json")["change-0"].state == "applied"


def test_a_change_that_does_not_show_in_time_is_unclear_and_not_sent_again_when_it_shows(
    server: Server, tmp_path: Path
) -> None:
    acting = server.play([(9, "answered")], [])
    plan = planned(server, ["deactivate"])

    first = server.apply(plan, tmp_path / "plan.json")["change-0"]
    again = server.apply(plan, tmp_path / "plan.json")["change-0"]  # the change shows while this run waits for it

    assert (first.state, again.state) == ("unclear", "unclear") or again.state == "applied"
    assert first.state == "unclear"
    acting.pass_time(9)
    assert server.apply(plan, tmp_path / "plan.json")["change-0"].state == "applied"


@pytest.mark.parametrize("shows_after", [2, 3, 4])
def test_a_restart_waits_for_what_was_sent_before_the_kill(server: Server, tmp_path: Path, shows_after: int) -> None:
    sent = []
    for kill_at in range(1, 12):
        acting = server.play([(shows_after, "504")], [])
        plan = planned(server, ["deactivate"])
        file = tmp_path / f"{kill_at}.json"
        server.apply(plan, file, kill_at)
        server.apply(plan, file)
        sent.append(len(acting.sent))

    assert set(sent) == {1}


def test_the_programs_own_account_is_skipped(server: Server, tmp_path: Path) -> None:
    server.play([], [])
    plan = planned(server, ["remove_from_groups"])
    caller, server.store.caller_id = server.store.caller_id, plan.changes[0].account_id

    try:
        said = skipped_because(server, tmp_path / "plan.json", plan)
    finally:
        server.store.caller_id = caller

    assert said == "it is the account this program logs in with"


@pytest.mark.parametrize(("name", "rank"), [("super", 100), ("Sys. Admin", 100), ("super", 40)])
def test_the_administrator_made_at_install_is_skipped_under_any_role_name_and_rank(
    server: Server, tmp_path: Path, name: str, rank: int
) -> None:
    server.play([], [])
    plan = planned(server, ["deactivate"])
    user, super_id = server.store.by_id[plan.changes[0].account_id], role(server, "super")
    server.store.put({**user, "roleId": super_id})
    before = server.store.roles[super_id]
    server.store.roles[super_id] = {**before, "name": name}
    (tmp_path / "policy").mkdir()
    server.policy = ranked(tmp_path / "policy", "super", rank)

    try:
        said = skipped_because(server, tmp_path / "plan.json", plan)
    finally:
        server.store.roles[super_id] = before

    assert said == "it is the administrator made at install"


@pytest.mark.parametrize("basis", ["extract", "journal"])
def test_a_plan_is_refused_once_it_is_too_old(server: Server, basis: str) -> None:
    server.play([], [])
    plan = planned(server, ["deactivate"])
    now = datetime.fromisoformat(plan.basis["created_at"])
    if basis == "journal":  # an undo plan rests on no extract
        plan = Plan({key: value for key, value in plan.basis.items() if key != "extracted_at"}, plan.changes)

    applying.require_fresh(plan, now + timedelta(hours=24))

    with pytest.raises(GateError, match="too old to be applied"):
        applying.require_fresh(plan, now + timedelta(hours=24, seconds=1))
    with pytest.raises(GateError, match="does not say"):
        applying.require_fresh(Plan({"created_at": plan.basis["created_at"]}, plan.changes), now)
