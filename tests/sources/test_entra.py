"""Reading Entra ID: everybody, or not FULL, whatever the server does; and nothing more than is needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import LoginError
from pipeline.settings import Credentials, Secret, SourceSettings
from pipeline.sources.directories.preflight import preflight
from pipeline.sources.errors import RedirectedError
from tests.fakes.entra import CLIENT_ID, CLIENT_SECRET, TENANT, FakeEntra, make_users
from tests.fakes.http import HttpServer, Reply, Request, as_json
from tests.sources.conftest import Waiting
from tests.sources.directories import Landed, read

BY_SECRET = Credentials(CLIENT_ID, Secret(CLIENT_SECRET), None)
SETTINGS = {"kind": "entra", "tenant": TENANT, "client_id": CLIENT_ID, "authority": "{url}", "application": "spn"}
Reading = Callable[..., Landed]


@pytest.fixture
def entra() -> FakeEntra:
    users = make_users(230)
    ids = [user["id"] for user in users]
    return FakeEntra(
        users,
        groups={"g-ops": ("Ops", [*ids[3:60:2], "g-all"]), "g-all": ("All", ids), "g-none": ("Empty", [])},
        assigned=[(ids[1], "User"), ("g-ops", "Group"), ("robot", "ServicePrincipal")],
        most=50,
    )


@pytest.fixture
def reading(entra: FakeEntra, tmp_path: Path) -> Reading:
    def run(credentials: Credentials = BY_SECRET, **keys: Any) -> Landed:
        return read(entra.answer, tmp_path, credentials, **{**SETTINGS, **keys})

    return run


def users_page(request: Request) -> bool:
    return request.path == "/v1.0/users" and request.query.get("$top") != "1"


def changed(reply: Reply, **keys: Any) -> Reply:
    """Return a collection with changed keys; None removes a key."""
    document = {**json.loads(reply.body), **keys}
    kept = {key: value for key, value in document.items() if value is not None}
    return replace(reply, body=json.dumps(kept).encode())


def assert_all(entra: FakeEntra, landed: Landed) -> None:
    assert landed.completeness == "FULL", landed.reason
    assert landed.by_id("users").keys() == {user["id"] for user in entra.users}
    assert len(landed.rows["users"]) == len(entra.users)
    assert landed.by_id("groups").keys() == entra.groups.keys()
    assert landed.members == {(key, user) for key, (_, users) in entra.groups.items() for user in users}
    assert [row["principalId"] for row in landed.rows["assignments"]] == [
        principal for principal, _ in entra.assigned
    ]


def test_users_groups_members_and_assignments_are_read_in_full(entra: FakeEntra, reading: Reading) -> None:
    landed = reading()

    assert_all(entra, landed)
    assert landed.checks["count_agrees"] == landed.checks["end_proven"] == "PASS"
    assert landed.settings["directory_users_sweeps"] == "1", "the count makes one reading enough"
    assert landed.missing == {}


def test_an_authority_that_does_not_answer_is_named(reading: Reading) -> None:
    error = reading(authority="http://127.0.0.1:9", max_attempts=1).error

    assert error is not None
    assert "check 'authority'" in error.hint


def test_a_page_size_that_is_refused_is_lowered(entra: FakeEntra, reading: Reading) -> None:
    def refuse(request: Request) -> Reply | None:
        if users_page(request) and int(request.query.get("$top", "1")) > 120:
            return as_json({"error": {"message": "Cannot query data for more than 120 users at a time."}}, 400)
        return None

    entra.before = refuse

    assert_all(entra, reading())


def test_links_and_records_are_read_liberally(entra: FakeEntra, reading: Reading) -> None:
    def oddly(request: Request, reply: Reply) -> Reply:
        if request.path.endswith("/$count"):
            return replace(reply, body=b'"' + reply.body.removeprefix(b"\xef\xbb\xbf") + b'"')
        document = json.loads(reply.body)
        if "@odata.nextLink" in document:
            document["@odata.nextLink"] = "?" + document["@odata.nextLink"].partition("?")[2]
        for user in document["value"]:
            user |= {"unknown": {"deep": [1]}} | ({"otherMails": "o@example.com"} if "otherMails" in user else {})
        return replace(reply, body=json.dumps(document).encode())

    entra.after = oddly
    landed = reading()

    assert_all(entra, landed)
    assert len(landed.people) == len(entra.users)


def test_a_link_inside_of_a_record_is_not_followed(entra: FakeEntra, reading: Reading) -> None:
    def with_false_links(request: Request, reply: Reply) -> Reply:
        if not users_page(request):
            return reply
        document = json.loads(reply.body)
        false = {"id": "x", "@odata.nextLink": f"{entra.url}/v1.0/users?$skiptoken=false"}
        value = [{**user, "manager": false} for user in document.pop("value")]
        return replace(reply, body=json.dumps({"value": value, **document}).encode())

    entra.after = with_false_links

    assert_all(entra, reading())


def test_people_have_the_status_last_day_and_manager_of_entra(entra: FakeEntra, reading: Reading) -> None:
    entra.users = make_users(6)
    changes: list[dict[str, Any]] = [
        {"mail": None},
        {"accountEnabled": False, "employeeLeaveDateTime": "2026-01-31T00:00:00Z"},
        {"accountEnabled": True, "employeeLeaveDateTime": "2026-02-28T23:00:00Z"},
        {"accountEnabled": True, "employeeLeaveDateTime": "2026-03-31T00:00:00Z"},
        {"accountEnabled": False, "otherMails": ["Other@Example.com"]},
        {"accountEnabled": None},
    ]
    for user, change in zip(entra.users, changes, strict=True):
        user |= change
    entra.groups, entra.assigned = {}, []

    people = reading().people

    assert [(person["employment_status"], person["end_date"]) for person in people] == [
        ("active", None),
        ("ended", date(2026, 1, 31)),
        ("ended", date(2026, 2, 28)),
        ("active", date(2026, 3, 31)),
        ("ended", None),
        (None, None),
    ]
    assert people[0]["email"] == "user0@corp.example", "without mail, the principal name is the address"
    assert people[1]["manager_email"] == "user0@corp.example"
    assert people[1]["aliases"] == ["u1@example.com", "user1@corp.example"]
    assert "Other@Example.com" in people[4]["aliases"]
    assert (people[1]["department"], people[1]["title"], people[1]["display_name"]) == ("Sales", "Analyst", "Name 1")


def test_only_needed_columns_and_no_secrets_are_written(entra: FakeEntra, reading: Reading) -> None:
    assert b"canary" not in reading().written


def test_a_sovereign_cloud_has_its_own_scope_and_authority(entra: FakeEntra, tmp_path: Path) -> None:
    with HttpServer(entra.answer) as authority:
        landed = read(entra.answer, tmp_path, BY_SECRET, **{**SETTINGS, "authority": authority.url})
        assert [request.path for request in authority.requests] == [f"/{TENANT}/oauth2/v2.0/token"]
        assert b"127.0.0.1" in authority.requests[0].body

    assert_all(entra, landed)
    assert not any("oauth2" in request.path for request in landed.requests)


def test_a_wrong_secret_ends_it_without_showing_what_the_server_repeats(entra: FakeEntra, reading: Reading) -> None:
    landed = reading(Credentials(CLIENT_ID, Secret("wrong~secret~canary"), None))

    assert isinstance(landed.error, LoginError)
    assert "wrong~" not in f"{landed.error} {landed.error.hint}"
    assert b"wrong~" not in landed.written
    assert len(landed.requests) == 1


def test_a_token_that_expires_in_the_middle_of_the_list_is_renewed_once(entra: FakeEntra, reading: Reading) -> None:
    expired = []

    def expire(request: Request) -> None:
        if users_page(request) and "$skiptoken" in request.query and not expired:
            expired.append(request)
            entra.access_tokens.clear()

    entra.before = expire  # type: ignore[assignment]

    assert_all(entra, reading())
    assert entra.issued == 2


def test_throttling_is_obeyed_and_loses_nothing(entra: FakeEntra, reading: Reading) -> None:
    throttled: list[Request] = []

    def throttle(request: Request) -> Reply | None:
        if users_page(request) and len(throttled) < 2:
            throttled.append(request)
            return as_json({"error": {"code": "TooManyRequests"}}, 429, headers={"Retry-After": "17"})
        return None

    entra.before = throttle

    landed = reading()

    assert_all(entra, landed)
    assert landed.slept.count(17.0) == 2


def test_a_next_link_to_another_host_is_refused_and_nothing_is_sent_there(entra: FakeEntra, reading: Reading) -> None:
    with HttpServer(lambda request: as_json({"value": []})) as elsewhere:

        def lead_away(request: Request, reply: Reply) -> Reply:
            link = f"{elsewhere.url}/v1.0/users?$skiptoken=x"
            return changed(reply, **{"@odata.nextLink": link}) if users_page(request) else reply

        entra.after = lead_away

        landed = reading()

    assert isinstance(landed.error, RedirectedError)
    assert elsewhere.requests == []
    assert landed.completeness == "PARTIAL"
    assert "nothing was sent there" in str(landed.reason)


def test_a_lost_next_link_is_noticed_by_the_count(entra: FakeEntra, reading: Reading) -> None:
    entra.after = lambda request, reply: (
        changed(reply, **{"@odata.nextLink": None})
        if users_page(request) and "$skiptoken" in request.query
        else reply
    )

    landed = reading()

    assert landed.completeness == "PARTIAL"
    assert landed.checks["count_agrees"] == landed.checks["end_proven"] == "FAIL"


@pytest.mark.parametrize("path", ["/v1.0/groups", "/v1.0/groups/g-all/members"])
def test_a_lost_next_link_of_groups_or_members_is_noticed(entra: FakeEntra, reading: Reading, path: str) -> None:
    entra.groups |= {f"g-{number:03}": (f"Group {number}", []) for number in range(60)}
    entra.after = lambda request, reply: (
        changed(reply, **{"@odata.nextLink": None}) if request.path == path else reply
    )

    landed = reading()

    assert landed.completeness == "PARTIAL"
    failed = {check for check, result in landed.checks.items() if result == "FAIL"}
    assert {"groups_end_proven", "members_end_proven"} & failed


def test_a_link_that_is_lost_once_is_settled_by_another_reading(entra: FakeEntra, reading: Reading) -> None:
    lost: list[Request] = []

    def lose(request: Request, reply: Reply) -> Reply:
        if users_page(request) and "$skiptoken" in request.query and not lost:
            lost.append(request)
            return changed(reply, **{"@odata.nextLink": None})
        return reply

    entra.after = lose

    assert_all(entra, reading())


@pytest.mark.parametrize("off_by", [1, -1])
def test_a_count_that_is_off_by_one_is_partial(entra: FakeEntra, reading: Reading, off_by: int) -> None:
    entra.off_by = off_by

    landed = reading()

    assert landed.completeness == "PARTIAL"
    assert landed.checks["count_agrees"] == "FAIL"
    assert landed.by_id("users").keys() == {user["id"] for user in entra.users}


def test_a_repeated_page_is_noticed(entra: FakeEntra, reading: Reading) -> None:
    first: list[list[Any]] = []

    def repeat(request: Request, reply: Reply) -> Reply:
        if not users_page(request):
            return reply
        first.append(json.loads(reply.body)["value"])
        return changed(reply, value=first[0]) if "$skiptoken" in request.query else reply

    entra.after = repeat

    landed = reading()

    assert landed.completeness == "PARTIAL"
    assert landed.checks["end_proven"] == "FAIL"


def test_an_endless_list_ends(entra: FakeEntra, reading: Reading) -> None:
    entra.after = lambda request, reply: (
        changed(reply, **{"@odata.nextLink": f"{entra.url}/v1.0/users?$skiptoken=again"})
        if users_page(request)
        else reply
    )

    assert reading().completeness == "PARTIAL"


def test_a_user_who_is_deleted_between_two_pages_is_settled_by_another_reading(
    entra: FakeEntra, reading: Reading
) -> None:
    deleted: list[dict[str, Any]] = []

    def delete(request: Request) -> None:
        if users_page(request) and "$skiptoken" in request.query and not deleted:
            deleted.append(entra.users.pop(0))
            gone = deleted[0]["id"]
            entra.groups = {
                key: (name, [user for user in users if user != gone]) for key, (name, users) in entra.groups.items()
            }

    entra.before = delete  # type: ignore[assignment]

    landed = reading()

    assert_all(entra, landed)
    assert deleted[0]["id"] not in landed.by_id("users")


@pytest.mark.parametrize(
    ("permission", "lost"),
    [
        ("AuditLog.Read.All", "signInActivity"),
        ("User-LifeCycleInfo.Read.All", "employeeLeaveDateTime"),
        ("Application.Read.All", "assignments"),
    ],
)
def test_a_missing_permission_costs_only_its_column_and_is_named(
    entra: FakeEntra, reading: Reading, permission: str, lost: str
) -> None:
    entra.permissions.remove(permission)

    landed = reading()

    assert landed.completeness == "FULL", landed.reason
    assert landed.by_id("users").keys() == {user["id"] for user in entra.users}
    assert landed.missing.keys() == {lost}
    assert permission in landed.missing[lost]
    others = {"signInActivity", "employeeId"} - {lost}
    assert others <= set(landed.rows["users"][0])


def test_groups_that_may_not_be_read_cost_what_depends_on_them(entra: FakeEntra, reading: Reading) -> None:
    entra.permissions.remove("GroupMember.Read.All")

    landed = reading()

    assert landed.completeness == "FULL", landed.reason
    assert {"groups", "members"} <= landed.missing.keys()
    assert "assignments" not in landed.settings, "members of an assigned group are not known"


def test_users_that_may_not_be_read_end_the_extract(entra: FakeEntra, reading: Reading) -> None:
    entra.permissions = {"GroupMember.Read.All"}

    landed = reading()

    assert landed.error is not None
    assert landed.completeness != "FULL"


def test_check_names_the_permissions_that_are_missing(entra: FakeEntra) -> None:
    entra.permissions -= {"AuditLog.Read.All", "GroupMember.Read.All"}
    waiting = Waiting()
    with HttpServer(entra.answer) as http:
        keys: dict[str, Any] = {**SETTINGS, "authority": http.url}
        source = SourceSettings(name="idp", url=http.url, **keys)
        checks = preflight(source, BY_SECRET, clock=waiting.clock, sleep=waiting.sleep)

    assert {check.name: check.result for check in checks} == {
        "login": "ok",
        "users": "ok",
        "signInActivity": "warning",
        "groups": "warning",
        "assignments": "ok",
    }
    assert "AuditLog.Read.All" in next(check.detail for check in checks if check.name == "signInActivity")
    assert next(check.detail for check in checks if check.name == "users") == "230 users"
