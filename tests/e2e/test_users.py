"""Single accounts over the command line, against a running Sisense, seen by the vendor's own client."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipeline.simulator.server import Simulator
from tests.e2e.conftest import Outcome, run_command

NEW = "new.joiner@example.com"


class Case:
    def __init__(self, simulator: Simulator, folder: Path) -> None:
        self.simulator = simulator
        self.folder = folder
        simulator.write_files(folder)

    def __call__(self, *arguments: str, code: int = 0, **environment: str) -> Outcome:
        secret = {"ACCESS_REVIEW_PROD_PASSWORD": self.simulator.password}
        outcome = run_command(self.folder, *arguments, **secret, **environment)
        assert outcome.code == code, outcome.stderr
        return outcome

    def named(self, user_name: str) -> list[dict]:
        return [user for user in self.simulator.sisense.store.users if user["userName"] == user_name]


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Callable[..., Case]]:
    with ExitStack() as stack:
        yield lambda *scenarios: Case(stack.enter_context(Simulator(400, 7, scenarios=scenarios)), tmp_path)


def test_an_account_is_provisioned_by_names_and_the_vendors_client_sees_it(case: Callable[..., Case]) -> None:
    pytest.importorskip("pysisense")
    at = case()
    groups = ("Finance Team", "legal team")
    command = ("users", "create", "--email", NEW, "--role", "Designer", "--group", groups[0], "--group", groups[1])

    created = json.loads(at("--json", *command, "--password", "generated").stdout)
    again = json.loads(at("--json", *command).stdout)

    assert [each["result"] for each in (*created, *again)] == ["created", "as it was"]
    seen = json.loads(
        subprocess.run(
            [sys.executable, "-c", _VENDOR, at.simulator.token, str(at.simulator.port), *map(str.title, groups)],
            cwd=at.folder, capture_output=True, text=True, check=True,
        ).stdout.splitlines()[-1]
    )  # fmt: skip
    assert seen == {"role": "contributor", "groups": [True, True]}
    shown = json.loads(at("--json", "users", "get", NEW).stdout)
    assert (shown["role"], shown["active"]) == ("Designer", True)


_VENDOR = """
import json, sys
import pysisense
token, port, *groups = sys.argv[1:]
client = pysisense.SisenseClient(config_file=None, domain="127.0.0.1", token=token, is_ssl=False, port=int(port))
vendor = pysisense.AccessManagement(api_client=client)
[user] = [row for row in vendor.get_users_all() if row["EMAIL"] == "new.joiner@example.com"]
members = [user["USER_ID"] in {row["USER_ID"] for row in vendor.users_per_group(name)} for name in groups]
print(json.dumps({"role": user["ROLE_RAW_NAME"], "groups": members}))
"""


def test_a_wrong_name_in_a_file_creates_nobody(case: Callable[..., Case]) -> None:
    at = case()
    joiners = at.folder / "joiners.csv"
    joiners.write_text(f"email,role,groups\n{NEW},Viewer,Finance Team\nother@example.com,Viewr,\n", encoding="utf-8")

    refused = at("users", "create", "--file", str(joiners), code=2)

    assert "there is no role 'Viewr'" in refused.stderr
    assert "did you mean 'viewer'?" in refused.stderr
    assert at.named(NEW) == []
    joiners.write_text(joiners.read_text().replace("Viewr", "Viewer"), encoding="utf-8")
    at("users", "create", "--file", str(joiners))
    assert len(at.named(NEW)) == len(at.named("other@example.com")) == 1


@pytest.mark.parametrize("scenario", ["write-then-504", "write-then-cut"])
def test_an_account_that_was_made_in_spite_of_the_answer_is_found(case: Callable[..., Case], scenario: str) -> None:
    at = case(scenario)

    created = json.loads(at("--json", "users", "create", "--email", NEW, "--role", "Viewer").stdout)

    assert created[0]["result"] == "created"
    assert len(at.named(NEW)) == 1


def test_a_change_that_the_server_only_claims_is_a_failure(case: Callable[..., Case]) -> None:
    at = case("write-ignored")
    user = next(
        u for u in at.simulator.sisense.store.users if u.get("active") and u["userName"] != at.simulator.username
    )

    failed = at("users", "update", user["userName"], "--first-name", "Changed", code=3)

    assert "the server said yes" in failed.stdout


def test_switching_off_and_deleting_are_guarded(case: Callable[..., Case]) -> None:
    at = case()
    at("users", "create", "--email", NEW, "--role", "Viewer")

    assert "logs in with" in at("users", "deactivate", at.simulator.username, code=1).stderr
    at("users", "deactivate", NEW)
    assert at.named(NEW)[0]["active"] is False
    assert "cannot be undone" in at("users", "delete", NEW, code=2).stderr
    assert "nothing was deleted" in at("users", "delete", NEW, "--permanently", code=2).stderr
    assert len(at.named(NEW)) == 1


def test_a_generated_password_is_seen_only_by_who_asks(case: Callable[..., Case]) -> None:
    at = case()

    quiet = at("--verbose", "users", "create", "--email", NEW, "--role", "Viewer", "--password", "generated")
    shown = at("users", "create", "--email", "b@example.com", "--password", "generated", "--show-password")
    given = at(
        "users", "create", "--email", "c@example.com", "--password", "environment",
        ACCESS_REVIEW_NEW_USER_PASSWORD="Canary-Of-A-Password-1",
    )  # fmt: skip

    assert "password" not in quiet.stdout + quiet.stderr
    assert "password of b@example.com: " in shown.stderr
    assert "Canary" not in given.stdout + given.stderr
