"""A Sisense with an approved plan to apply, and a server that kills the program at a chosen moment."""

from __future__ import annotations

import json
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import HTMLResponse, Response

from pipeline.simulator.exchange import Call, Proceed
from pipeline.simulator.server import Simulator
from tests.e2e.program import Outcome, configured_for_accounts, forking, run_command, surroundings

__all__ = ["APPLY", "APPROVER", "OPERATOR", "Case", "Killing", "Prepared"]

APPROVER = ("--by", "Ann Ek", "--email", "ann@example.com")
OPERATOR = ("--by", "Bo Dahl", "--email", "bo@example.com")
APPLY = ("remediate", "apply", "remediation-plan.json", *OPERATOR, "--yes")


class Killing:
    """Kills the program that sends a change, or lies to it; each change uses up one entry of ``script``."""

    def __init__(self, case: Case, script: list[tuple[str, str]]) -> None:
        self.case = case
        self.script = script
        self.victim = 0
        self.needless: list[str] = []
        case.simulator.sisense.intercept = self.answer

    async def answer(self, call: Call, proceed: Proceed) -> Response:
        if call.method != "PATCH":
            return await proceed(call)
        account = self.case.store.by_id[call.path.rpartition("/")[2]]
        if account.get("active") is False:
            self.needless.append(account["_id"])
        before, after = self.script.pop(0) if self.script else ("", "")
        if before == "kill":
            os.kill(self.victim, signal.SIGKILL)
        response = await proceed(call) if after != "not made" else HTMLResponse("<h1>502 Bad Gateway</h1>", 502)
        if after == "kill":
            os.kill(self.victim, signal.SIGKILL)
        if after == "cut":
            call.reset()
            raise ConnectionResetError
        return HTMLResponse("<h1>504 Gateway Time-out</h1>", 504) if after == "504" else response


@dataclass(frozen=True)
class Prepared:
    """A simulator, and two folders to copy: one with a build, one with an approved plan too."""

    simulator: Simulator
    built: Path
    approved: Path


class Case:
    """The simulator in its initial state, a folder for one test, and the command line in it."""

    def __init__(self, prepared: Prepared, folder: Path, scenarios: tuple[str, ...]) -> None:
        self.simulator = prepared.simulator
        self.simulator.sisense.reset(scenarios)
        self.store = self.simulator.sisense.store
        self.folder = folder
        self._prepared = prepared

    @property
    def environment(self) -> dict[str, str]:
        return surroundings(ACCESS_REVIEW_PROD_PASSWORD=self.simulator.password)

    def command(self, *arguments: str) -> Outcome:
        return run_command(self.folder, *arguments, ACCESS_REVIEW_PROD_PASSWORD=self.simulator.password)

    def ok(self, *arguments: str) -> Outcome:
        outcome = self.command(*arguments)
        assert outcome.code == 0, outcome.stderr
        return outcome

    def planned(self) -> list[str]:
        plan = json.loads((self.folder / "remediation-plan.json").read_text())
        return [change["account_id"] for change in plan["changes"]]

    def take_build(self) -> None:
        """Start from an extract that is built."""
        shutil.copytree(self._prepared.built, self.folder, dirs_exist_ok=True)

    def take_plan(self) -> list[str]:
        """Start from a plan that is approved; return its accounts."""
        shutil.copytree(self._prepared.approved, self.folder, dirs_exist_ok=True)
        return self.planned()

    def extract_and_plan(self) -> list[str]:
        """Start from what the simulator holds now; return the accounts of an approved plan."""
        configured_for_accounts(self.simulator, self.folder)
        self.ok("extract")
        self.ok("build")
        return self.plan()

    def plan(self) -> list[str]:
        self.ok("remediate", "plan", "--stale-days", "90")
        self.ok("remediate", "approve", "remediation-plan.json", *APPROVER)
        return self.planned()

    def inactive(self) -> set[str]:
        return {user["_id"] for user in self.store.users if user.get("active") is False}

    def changes_sent(self) -> list[tuple[str, str]]:
        return [
            (entry.method, entry.path)
            for entry in self.simulator.sisense.log
            if entry.method != "GET" and not entry.path.endswith("login")
        ]

    def apply_to(self, killing: Killing) -> int:
        """Apply the plan in a process that a server may kill; return its exit code."""

        def started(process: int) -> None:
            killing.victim = process

        return forking().run(self.folder, APPLY, self.environment, started).code
