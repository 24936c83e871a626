"""Single accounts over the command line, against a running Sisense, read back by its published API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from starlette.responses import HTMLResponse

from pipeline.simulator.server import Simulator
from pipeline.simulator.store import Invalid
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
        yield lambda *scenarios: Case(stack.enter_context(Simulator(100, 7, scenarios=scenarios)), tmp_path)


def test_an_account_is_provisioned_by_names_and_the_published_api_shows_it(case: Callable[..., Case]) -> None:
    at = case()
    groups = ("Finance Team", "legal team")
    command = ("users", "create", "--email", NEW, "--role", "Designer", "--group", groups[0], "--group", groups[1])

    created = at("--json", *command, "--password", "generated").result
    again = at("--json", *command).result

    assert [each["state"] for each in (*created, *again)] == ["created", "exists"]
    with httpx.Client(base_url=at.simulator.url, headers={"Authorization": f"Bearer {at.simulator.token}"}) as api:
        users = api.get("/api/v1/users", params={"expand": "groups,role"}).json()
        [user] = [user for user in users if user["email"] == NEW]
        for name in map(str.title, groups):
            [group] = api.get("/api/v1/groups", params={"name": name, "expand": "users"}).json()
            assert user["_id"] in {member["_id"] for member in group["users"]}
    assert user["role"]["name"] == "contributor"
    shown = at("--json", "users", "get", NEW).result
    assert (shown["role"], shown["active"]) == ("Designer", True)
    assert sorted(shown["groups"]) == ["Finance Team", "Legal Team"]


def test_an_unknown_name_in_a_file_fails_before_anything_is_sent(case: Callable[..., Case]) -> None:
    at = case()
    joiners = at.folder / "joiners.csv"
    joiners.write_text(f"email,role,groups\n{NEW},Viewer,Finance Team\nother@example.com,Viewr,\n", encoding="utf-8")

    refused = at("users", "create", "--file", str(joiners), code=2)

    assert "there is no role 'Viewr'" in refused.stderr
    assert "did you mean 'Viewer'?" in refused.stderr
    assert at.named(NEW) == []
    joiners.write_text(joiners.read_text().replace("Viewr", "Viewer"), encoding="utf-8")
    at("users", "create", "--file", str(joiners))
    assert len(at.named(NEW)) == len(at.named("other@example.com")) == 1


@pytest.mark.parametrize("scenario", ["write-then-504", "write-then-cut"])
def test_an_account_that_was_created_despite_an_error_is_found(case: Callable[..., Case], scenario: str) -> None:
    at = case(scenario)

    created = at("--json", "users", "create", "--email", NEW, "--role", "Viewer").result

    assert created[0]["state"] == "created"
    assert len(at.named(NEW)) == 1


def test_a_confirmed_change_that_does_not_show_is_unclear(case: Callable[..., Case]) -> None:
    at = case("write-ignored")
    user = next(
        u for u in at.simulator.sisense.store.users if u.get("active") and u["userName"] != at.simulator.username
    )

    failed = at("users", "update", user["userName"], "--first-name", "Changed", code=3)

    assert "the server accepted it" in failed.stdout


def test_deactivation_and_deletion_are_guarded(case: Callable[..., Case]) -> None:
    at = case()
    at("users", "create", "--email", NEW, "--role", "Viewer")

    assert "logs in with" in at("users", "deactivate", at.simulator.username, code=1).stderr
    at("users", "deactivate", NEW)
    assert at.named(NEW)[0]["active"] is False
    assert "cannot be undone" in at("users", "delete", NEW, code=2).stderr
    assert "nothing was deleted" in at("users", "delete", NEW, "--permanently", code=2).stderr
    assert len(at.named(NEW)) == 1


def test_an_administrator_by_policy_alone_is_guarded(case: Callable[..., Case]) -> None:
    at = case()
    at("users", "create", "--email", NEW, "--role", "custom_partnerAccess", "--password", "generated")
    store = at.simulator.sisense.store
    roles = {record["name"]: key for key, record in store.roles.items()}
    for user in [*store.users]:
        if user["_id"] == store.caller_id:
            store.put({**user, "roleId": roles["tenantAdmin"]})
        elif user["userName"] != NEW and user.get("roleId") in {
            roles[name] for name in ("admin", "super", "custom_partnerAccess")
        }:
            store.put({**user, "active": False})
    with (at.folder / "policy" / "roles.csv").open("a", encoding="utf-8") as file:
        file.write("custom_partnerAccess,95,true\n")

    off = at("users", "deactivate", NEW, code=1)
    demoted = at("users", "update", NEW, "--role", "Viewer", code=1)

    assert "last active administrator" in off.stderr
    assert "last active administrator" in demoted.stderr
    assert at.named(NEW)[0]["active"] is True


def test_a_generated_password_is_shown_only_on_request(case: Callable[..., Case]) -> None:
    at = case()

    quiet = at("--verbose", "users", "create", "--email", NEW, "--role", "Viewer", "--password", "generated")
    shown = at("users", "create", "--email", "b@example.com", "--password", "generated", "--show-password")
    given = at(
        "users", "create", "--email", "c@example.com", "--password", "environment",
        ACCESS_REVIEW_NEW_USER_PASSWORD="Canary-Of-A-Password-1",
    )  # fmt: skip

    assert "password of" not in quiet.stdout + quiet.stderr
    assert "password of b@example.com: " in shown.stderr
    assert "Canary" not in given.stdout + given.stderr


def test_existing_accounts_are_found_when_the_server_ignores_filters(case: Callable[..., Case]) -> None:
    at = case("filters-ignored", "capped-limit")
    last = at.simulator.sisense.store.users[-1]["userName"]

    shown = at("--json", "users", "get", last).result
    at("users", "create", "--email", NEW, "--role", "Viewer")
    again = at("--json", "users", "create", "--email", NEW, "--role", "Viewer").result

    assert shown["user_name"] == last
    assert again[0]["state"] == "exists"
    assert len(at.named(NEW)) == 1


def test_a_password_is_shown_with_its_account(case: Callable[..., Case]) -> None:
    at = case()
    refused, made = "refused@example.com", "made@example.com"
    store = at.simulator.sisense.store
    create, sent = store.create, {}

    def record(body):  # type: ignore[no-untyped-def]
        if body["email"] == refused:
            raise Invalid("no such mailbox")
        sent[body["email"]] = body["password"]
        return create(body)

    store.create = record  # type: ignore[method-assign]
    joiners = at.folder / "joiners.csv"
    joiners.write_text(f"email,role\n{refused},Viewer\n{made},Viewer\n", encoding="utf-8")

    outcome = at("users", "create", "--file", str(joiners), "--password", "generated", "--show-password", code=3)

    assert f"password of {made}: {sent[made]}" in outcome.stderr
    assert f"password of {refused}" not in outcome.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("email,role\na@example.com,Viewer,Finance Team\n", "line 2"),
        ("email,role,role\na@example.com,Viewer,Sys. Admin\n", "two columns 'role': column 2 and column 3"),
        ("email,role\n", "the file has no accounts"),
        ("email,role\nnobody,Viewer\n", "'nobody' is not an e-mail address"),
    ],
)
def test_a_mistake_in_a_file_of_joiners_is_named_by_its_line(case: Callable[..., Case], text: str, said: str) -> None:
    at = case()
    joiners = at.folder / "joiners.csv"
    joiners.write_text(text, encoding="utf-8")

    assert said in at("users", "create", "--file", str(joiners), code=2).stderr


def test_an_invalid_address_creates_no_account(case: Callable[..., Case]) -> None:
    at = case()

    assert "not an e-mail address" in at("users", "create", "--email", "ann", "--role", "Viewer", code=2).stderr
    assert at.named("ann") == []


def test_joiners_of_a_killed_run_are_created_once(case: Callable[..., Case]) -> None:
    at = case("write-then-504")
    joiners = at.folder / "joiners.csv"
    people = [f"joiner{number}@example.com" for number in range(5)]
    joiners.write_text("email,role\n" + "".join(f"{each},Viewer\n" for each in people), encoding="utf-8")
    store = at.simulator.sisense.store
    create, running = store.create, []

    def killing(body):  # type: ignore[no-untyped-def]
        made = create(body)
        if body["email"] == people[2] and running:
            running.pop().kill()
        return made

    store.create = killing  # type: ignore[method-assign]
    environment = {**os.environ, "ACCESS_REVIEW_PROD_PASSWORD": at.simulator.password}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "users", "create", "--file", str(joiners)],
        cwd=at.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        running.append(process)
        assert process.wait(timeout=120) == -signal.SIGKILL
    assert [len(at.named(each)) for each in people] == [1, 1, 1, 0, 0]

    again = at("--json", "users", "create", "--file", str(joiners)).result

    assert [each["state"] for each in again] == ["exists"] * 3 + ["created"] * 2
    assert [len(at.named(each)) for each in people] == [1] * 5
    posts = [e for e in at.simulator.sisense.log if e.method == "POST" and e.path == "/api/v1/users"]
    assert len(posts) == len(people)


def test_two_commands_with_one_file_create_each_account_once(case: Callable[..., Case]) -> None:
    at = case()
    joiners = at.folder / "joiners.csv"
    people = [f"joiner{number}@example.com" for number in range(4)]
    joiners.write_text("email,role\n" + "".join(f"{each},Viewer\n" for each in people), encoding="utf-8")
    environment = {**os.environ, "ACCESS_REVIEW_PROD_PASSWORD": at.simulator.password}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])

    running = [
        subprocess.Popen(
            [sys.executable, "-m", "pipeline", "--json", "users", "create", "--file", str(joiners)],
            cwd=at.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]  # fmt: skip
    said = [json.loads(process.communicate(timeout=120)[0])["result"] for process in running]

    assert [process.returncode for process in running] == [0, 0]
    assert [len(at.named(each)) for each in people] == [1] * 4
    for states in zip(*([each["state"] for each in outcomes] for outcomes in said), strict=True):
        assert sorted(states) == ["created", "exists"]


def journal(at: Case) -> list[dict]:
    text = (at.folder / "access-review.duckdb.journal.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_requests_are_in_the_journal_without_passwords(case: Callable[..., Case]) -> None:
    at = case()
    secret = "Canary-Of-A-Password-1"

    made = at(
        "users", "create", "--email", NEW, "--role", "Viewer", "--password", "environment",
        ACCESS_REVIEW_NEW_USER_PASSWORD=secret,
    )  # fmt: skip
    again = at("users", "create", "--email", NEW, "--role", "Viewer")
    at("users", "deactivate", NEW)

    path = at.folder / "access-review.duckdb.journal.jsonl"
    assert f"journal   {path}" in made.stderr
    assert "journal" not in again.stderr
    assert path.stat().st_mode & 0o077 == 0
    assert secret not in path.read_text(encoding="utf-8")
    assert [(line["command"], line["state"], line["account"]) for line in journal(at)] == [
        ("users create", "sending", NEW),
        ("users create", "answered", NEW),
        ("users create", "created", NEW),
        ("users deactivate", "sending", NEW),
        ("users deactivate", "answered", NEW),
        ("users deactivate", "changed", NEW),
    ]
    assert {line["by"] for line in journal(at)} == {at.simulator.username}
    sent = journal(at)[3]
    assert (sent["request"]["body"], sent["previous"]) == ({"active": False}, {"active": True})


def test_the_journal_has_a_request_whose_answer_was_lost_to_a_kill(case: Callable[..., Case]) -> None:
    at = case()
    at("users", "create", "--email", NEW, "--role", "Viewer", "--password", "generated")
    store = at.simulator.sisense.store
    update, running = store.update, []

    def killing(*arguments):  # type: ignore[no-untyped-def]
        running.pop().kill()
        return update(*arguments)

    store.update = killing  # type: ignore[method-assign]
    environment = {**os.environ, "ACCESS_REVIEW_PROD_PASSWORD": at.simulator.password}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "users", "deactivate", NEW],
        cwd=at.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        running.append(process)
        assert process.wait(timeout=120) == -signal.SIGKILL

    assert at.named(NEW)[0]["active"] is False
    last = journal(at)[-1]
    assert (last["command"], last["state"], last["account"]) == ("users deactivate", "sending", NEW)
    store.update = update  # type: ignore[method-assign]
    assert at("--json", "users", "deactivate", NEW).result[0]["state"] == "as it was"


def test_a_new_account_that_is_inactive_in_sisense_is_reported_as_inactive(case: Callable[..., Case]) -> None:
    at = case()

    without = at("--json", "users", "create", "--email", NEW, "--role", "Viewer").result
    password = ("--password", "generated")
    with_one = at("--json", "users", "create", "--email", "b@example.com", *password).result

    assert at.named(NEW)[0]["active"] is False
    assert "inactive" in without[0]["detail"]
    assert "inactive" not in with_one[0]["detail"]


def test_a_missing_file_of_joiners_is_reported(case: Callable[..., Case]) -> None:
    missing = case()("users", "create", "--file", "missing.csv", code=2)

    assert "error: the file cannot be read: No such file or directory — missing.csv" in missing.stderr
    assert "hint: name a CSV file that you can read" in missing.stderr


def test_a_password_is_shown_as_soon_as_its_account_is_created(case: Callable[..., Case]) -> None:
    at = case()
    store = at.simulator.sisense.store
    create, made = store.create, []

    async def failing(call, proceed):  # type: ignore[no-untyped-def]
        if len(made) == 1 and call.method == "GET" and "other" in str(call.query):
            return HTMLResponse("<h1>403</h1>", 403)
        return await proceed(call)

    def record(body):  # type: ignore[no-untyped-def]
        made.append(body["password"])
        return create(body)

    store.create = record  # type: ignore[method-assign]
    at.simulator.sisense.intercept = failing
    joiners = at.folder / "joiners.csv"
    joiners.write_text(f"email,role\n{NEW},Viewer\nother@example.com,Viewer\n", encoding="utf-8")

    outcome = at("users", "create", "--file", str(joiners), "--password", "generated", "--show-password", code=3)

    assert f"password of {NEW}: {made[0]}" in outcome.stderr
