"""A server that misbehaves while a plan is applied, and plans to apply."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from starlette.responses import HTMLResponse, Response

from pipeline import resources
from pipeline.errors import SourceError
from pipeline.remediation import applying, journal
from pipeline.remediation.plan import FIELDS, Change, Plan
from pipeline.settings import Credentials, Secret, SourceSettings
from pipeline.simulator.exchange import Call, Proceed, error, json_response
from pipeline.simulator.server import Simulator
from pipeline.sources.accounts import AccountState
from pipeline.warehouse.policy import PolicyFiles

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


ACTIONS = st.lists(st.sampled_from(("deactivate", "change_role", "remove_from_groups")), min_size=1, max_size=5)


def role(server: Server, name: str) -> str:
    return next(key for key, role in server.store.roles.items() if role["name"] == name)
