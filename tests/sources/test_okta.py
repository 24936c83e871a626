"""Reading Okta: everybody, or not FULL, whatever the server does; and nothing more than is needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import Credentials, Secret
from pipeline.sources.errors import RedirectedError
from tests.fakes.http import HttpServer, Reply, Request, as_json
from tests.fakes.okta import API_TOKEN, FakeOkta, make_okta, make_users, relinked
from tests.sources.directories import Landed, assert_all_of_okta, read, users_page

BY_TOKEN = Credentials(None, None, Secret(API_TOKEN))


@pytest.fixture
def okta() -> FakeOkta:
    return make_okta(make_users(230))


Reading = Callable[..., Landed]


@pytest.fixture
def reading(okta: FakeOkta, tmp_path: Path) -> Reading:
    def run(credentials: Credentials = BY_TOKEN, **keys: Any) -> Landed:
        return read(okta.answer, tmp_path, credentials, kind="okta", application="0oaapp", **keys)

    return run


def test_users_groups_members_and_assignments_are_read_in_full(okta: FakeOkta, reading: Reading) -> None:
    landed = reading()

    assert_all_of_okta(okta, landed)
    assert landed.checks["sweeps_agree"] == "PASS", "without a count, two readings must agree"
    assert landed.checks["caller_sees_everyone"] == "PASS"
    assert landed.missing == {}
    assert landed.settings["assignments"] == landed.settings["groups"] == "read"


def test_people_have_the_status_last_day_and_manager_of_okta(okta: FakeOkta, reading: Reading) -> None:
    okta.users = make_users(8)
    changes = [
        ("ACTIVE", {"managerId": None}), ("PASSWORD_EXPIRED", {"managerId": "00u000000"}),
        ("LOCKED_OUT", {"managerId": "user0@corp.example"}), ("SUSPENDED", {"managerId": "elsewhere@example.com"}),
        ("STAGED", {"managerId": "E-1"}), ("DEPROVISIONED", {"managerId": "nobody"}), ("RECOVERY", {"email": None}),
        ("PROVISIONED", {"displayName": "Shown", "userType": "Contractor", "employeeNumber": "E-1"}),
    ]  # fmt: skip
    for user, (status, profile) in zip(okta.users, changes, strict=True):
        user["status"] = status
        user["profile"] |= profile
    okta.assigned, okta.groups = {}, {}

    people = reading().people

    assert [(person["employment_status"], person["end_date"], person["manager_email"]) for person in people] == [
        ("active", None, None),
        ("active", None, "user0@example.com"),
        ("active", None, "user0@example.com"),
        ("leave", None, "elsewhere@example.com"),
        ("leave", None, "user7@example.com"),
        ("ended", date(2026, 2, 6), None),
        ("active", None, "user0@example.com"),
        ("active", None, "user0@example.com"),
    ]
    assert [people[6]["email"], people[6]["aliases"]] == ["user6@corp.example", []]
    assert people[1]["aliases"] == ["user1@corp.example"]
    assert (people[7]["display_name"], people[7]["person_type"]) == ("Shown", "contractor")
    assert (people[1]["display_name"], people[1]["department"]) == ("First1 Last1", "Sales")


def test_only_needed_columns_and_no_secrets_are_written(okta: FakeOkta, reading: Reading) -> None:
    landed = reading()

    assert b"canary" not in landed.written
    assert set(landed.rows["users"][0]) <= {"id", "status", "created", "statusChanged", "lastLogin", "profile"}


def test_a_rate_limit_is_waited_for_and_loses_nothing(okta: FakeOkta, reading: Reading) -> None:
    refused = []

    def limit(request: Request) -> Reply | None:
        if users_page(request) and len(refused) < 2:
            refused.append(request)
            headers = {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "1772323260"}
            date_header = {"Date": "Sun, 01 Mar 2026 00:00:30 GMT"}
            return as_json({"errorCode": "E0000047"}, 429, headers=headers | date_header)
        return None

    okta.before = limit

    landed = reading()

    assert_all_of_okta(okta, landed)
    assert [seconds for seconds in landed.slept if seconds >= 30] == [30.0, 30.0]


def test_a_used_up_limit_is_not_exceeded(okta: FakeOkta, reading: Reading) -> None:
    okta.remaining = 5

    landed = reading()

    assert_all_of_okta(okta, landed)
    assert any(25 <= seconds <= 31 for seconds in landed.slept)


def test_a_next_link_to_another_host_is_refused_and_nothing_is_sent_there(okta: FakeOkta, reading: Reading) -> None:
    with HttpServer(lambda request: as_json([])) as elsewhere:
        okta.after = lambda request, reply: (
            relinked(reply, lambda link: link.replace(okta.url, elsewhere.url)) if users_page(request) else reply
        )

        landed = reading()

    assert isinstance(landed.error, RedirectedError)
    assert "nothing was sent there" in str(landed.error)
    assert elsewhere.requests == []
    assert landed.completeness == "PARTIAL"


@pytest.mark.parametrize(
    "link", ["http://[broken", "https://reader@{host}/api/v1/users?after=1", "//other.example/x"]
)
def test_an_odd_next_link_is_refused(okta: FakeOkta, reading: Reading, link: str) -> None:
    def odd(request: Request, reply: Reply) -> Reply:
        host = request.headers["host"]
        return relinked(reply, lambda _: f'<{link.format(host=host)}>; rel="next"') if users_page(request) else reply

    okta.after = odd

    landed = reading()

    assert landed.error is not None
    assert landed.completeness == "PARTIAL"


def test_a_page_that_comes_again_once_is_noticed_and_the_list_is_read_again(okta: FakeOkta, reading: Reading) -> None:
    repeated: list[Request] = []
    second: dict[str, str] = {}

    def repeat(request: Request, reply: Reply) -> Reply:
        after = request.query.get("after")
        if not users_page(request) or after is None:
            return reply
        if not second:
            second[after] = reply.body.decode()
        elif not repeated and after not in second:
            repeated.append(request)
            return replace(reply, body=next(iter(second.values())).encode())
        return reply

    okta.after = repeat

    landed = reading()

    assert_all_of_okta(okta, landed)
    assert landed.settings["directory_users_sweeps"] == "3"


def test_pages_that_always_repeat_leave_the_extract_partial(okta: FakeOkta, reading: Reading) -> None:
    first: list[bytes] = []

    def repeat(request: Request, reply: Reply) -> Reply:
        if not users_page(request):
            return reply
        first.append(reply.body)
        return replace(reply, body=first[0])

    okta.after = repeat

    landed = reading()

    assert landed.completeness == "PARTIAL"
    assert landed.checks["end_proven"] == "FAIL"


def test_a_loop_of_links_ends(okta: FakeOkta, reading: Reading) -> None:
    start = "limit=200"
    okta.after = lambda request, reply: (
        relinked(reply, lambda _: f'<{okta.url}/api/v1/users?{start}>; rel="next"')
        if users_page(request) and "after" in request.query
        else reply
    )

    landed = reading()

    assert landed.completeness == "PARTIAL"
    assert landed.checks["end_proven"] == "FAIL"
    assert "links to one that was read before" in str(landed.reason)


def test_a_user_who_is_deleted_between_two_pages_is_settled_by_another_reading(
    okta: FakeOkta, reading: Reading
) -> None:
    deleted = []

    def delete(request: Request) -> None:
        if users_page(request) and "after" in request.query and not deleted:
            deleted.append(okta.users.pop(0))
            for key, (name, users) in okta.groups.items():
                okta.groups[key] = (name, [user for user in users if user != deleted[0]["id"]])

    okta.before = delete  # type: ignore[assignment]

    landed = reading()

    assert_all_of_okta(okta, landed)
    assert deleted[0]["id"] not in landed.by_id("users")
    assert landed.settings["directory_users_sweeps"] == "3"


def test_a_user_who_leaves_between_the_two_lists_is_not_lost(okta: FakeOkta, reading: Reading) -> None:
    left = []

    def leave(request: Request) -> None:
        if "filter" in request.query and request.query.get("after") and not left:
            left.append("00u000001")
            okta.users[1]["status"] = "DEPROVISIONED"

    okta.before, okta.most = leave, 10  # type: ignore[assignment]

    landed = reading()

    assert_all_of_okta(okta, landed)
    assert landed.by_id("users")["00u000001"]["status"] == "DEPROVISIONED"


def test_a_list_that_always_changes_is_partial(okta: FakeOkta, reading: Reading) -> None:
    def join(request: Request) -> None:
        if users_page(request) and "after" not in request.query:
            okta.users.append(make_users(300 + len(okta.users))[-1] | {"status": "ACTIVE"})

    okta.before = join  # type: ignore[assignment]

    landed = reading()

    assert landed.completeness == "PARTIAL"
    assert landed.checks["sweeps_agree"] == "FAIL"


def test_a_group_that_is_deleted_meanwhile_has_no_members(okta: FakeOkta, reading: Reading) -> None:
    def delete(request: Request) -> None:
        if "/groups/" in request.path:
            okta.groups.pop("00gnew", None)

    okta.before = delete  # type: ignore[assignment]

    landed = reading()

    assert landed.completeness == "FULL", landed.reason
    assert landed.checks["members_end_proven"] == "PASS"
    assert {group for group, _ in landed.members} == {"00gops"}


def test_a_cut_off_answer_is_requested_again(okta: FakeOkta, reading: Reading) -> None:
    cut: list[Request] = []

    def shorten(request: Request, reply: Reply) -> Reply:
        if users_page(request) and len(cut) < 2:
            cut.append(request)
            return replace(reply, body=reply.body[:-40])
        return reply

    okta.after = shorten

    assert_all_of_okta(okta, reading())


def test_members_of_a_large_group_are_read_twice_and_a_changing_group_is_partial(
    okta: FakeOkta, reading: Reading
) -> None:
    okta.users = make_users(60)
    everyone = [user["id"] for user in okta.users]
    okta.groups, okta.assigned = {"00gbig": ("Big", everyone[:40])}, {}

    def grow(request: Request) -> None:
        if request.path == "/api/v1/groups/00gbig/users" and "after" not in request.query:
            okta.groups["00gbig"] = ("Big", everyone[: len(okta.groups["00gbig"][1]) + 1])

    okta.before = grow  # type: ignore[assignment]

    landed = reading(page_size=10)

    assert landed.completeness == "PARTIAL"
    assert "Big" in str(landed.reason)


def test_half_a_character_and_a_repeated_token_in_the_data_do_not_stop_it(okta: FakeOkta, reading: Reading) -> None:
    okta.users[0]["profile"]["department"] = "\ud83d"
    okta.users[1]["profile"]["title"] = f"wrote {API_TOKEN} down"
    okta.after = lambda request, reply: (
        replace(reply, body=json.dumps(json.loads(reply.body)).encode()) if reply.status == 200 else reply
    )

    landed = reading()

    assert landed.completeness == "FULL", landed.reason
    assert API_TOKEN.encode() not in landed.written
