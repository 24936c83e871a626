"""Applying a plan while the server lies, hangs or drops connections: the journal is true, nothing is sent twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from pipeline.errors import GateError, UsageError
from pipeline.remediation import applying, journal
from pipeline.remediation.plan import Plan
from pipeline.simulator.exchange import as_it_is
from pipeline.simulator.server import Simulator
from tests.remediation.server import (
    ACTIONS,
    FAULTS,
    READS,
    Server,
    planned,
    role,
)
from tests.search import looking_for


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Simulator(400, 7) as simulator:
        yield Server(simulator)


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


@pytest.mark.search
@looking_for(quick=6, deep=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    actions=ACTIONS,
    faults=st.lists(FAULTS, max_size=12),
    reads=st.lists(READS, max_size=12),
    kills=st.lists(st.integers(1, 90), max_size=3),
)
def test_with_any_server_the_journal_is_correct_and_nothing_is_sent_twice(
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


def test_a_late_change_is_unclear_and_not_sent_again(server: Server, tmp_path: Path) -> None:
    acting = server.play([(9, "answered")], [])
    plan = planned(server, ["deactivate"])

    first = server.apply(plan, tmp_path / "plan.json")["change-0"]
    again = server.apply(plan, tmp_path / "plan.json")["change-0"]  # the change shows while this run waits for it

    assert (first.state, again.state) == ("unclear", "unclear") or again.state == "applied"
    assert first.state == "unclear"
    acting.pass_time(9)
    assert server.apply(plan, tmp_path / "plan.json")["change-0"].state == "applied"


@pytest.mark.parametrize("shows_after", [2, 3, 4])
def test_a_restart_waits_for_changes_sent_before_the_kill(server: Server, tmp_path: Path, shows_after: int) -> None:
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
