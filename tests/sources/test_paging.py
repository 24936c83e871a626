"""A list is read to its proven end, or the extract says why the end is not proven."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.fakes.http import Reply, as_html, as_json
from tests.fakes.sisense import FakeSisense, account, accounts
from tests.sources.conftest import Extracting


def fifth_page(reply: Reply) -> Any:
    return lambda resource, nth: reply if (resource, nth) == ("users", 5) else None


def always_the_third_page_of_fifty(fake: FakeSisense) -> None:
    """Make the fake repeat a page: a request for offset 98 gets the page of 49 again, every time."""
    users = fake.handlers["users"]

    def repeating(request: Any) -> Reply:
        if request.query.get("skip") == "98":
            request.query["skip"] = "49"
        return users(request)

    fake.handlers["users"] = repeating


COMPLETE = {
    "plain": {},
    "one page exactly": {"users": accounts(50)},
    "one account": {"users": accounts(1)},
    "a lower cap": {"cap": 7},
    "a cap of one": {"cap": 1, "users": accounts(20)},
    "a limit it refuses": {"refuses_above": 20},
    "short pages in the middle": {"short": lambda nth, size: max(1, size - nth % 4)},
    "a short first page": {"short": lambda nth, size: 3 if nth == 2 else size},
    "whole list, count": {"ignores_skip": True, "ignores_limit": True},
    "whole list, no count": {"ignores_skip": True, "ignores_limit": True, "has_count": False},
    "whole list of two accounts": {
        "ignores_skip": True,
        "ignores_limit": True,
        "has_count": False,
        "users": accounts(2),
    },
    "ignores skip, honours limit, count": {"ignores_skip": True},
    "no count": {"has_count": False},
    "no count, short pages": {"has_count": False, "short": lambda nth, size: max(1, size - nth % 3)},
    "strict query": {"strict": True},
    "a page cut short once": {"fault": fifth_page(Reply(body=b"[" + b" " * 99 + b"]", cut=20))},
    "a page that is not whole JSON once": {"fault": fifth_page(Reply(body=b'[{"_id": "00'))},
    "an error object once": {"fault": fifth_page(as_json({"error": {"message": "try later"}}))},
    "a web page once": {"fault": fifth_page(as_html())},
    "a list of something else once": {"fault": fifth_page(as_json([None, 1]))},
    "NaN once": {"fault": fifth_page(Reply(body=b'[{"_id": NaN}]'))},
    "an empty page once": {"fault": fifth_page(as_json([]))},
    "an empty page once, no count": {"fault": fifth_page(as_json([])), "has_count": False},
}


@pytest.mark.parametrize("behaviour", COMPLETE.values(), ids=COMPLETE.keys())
def test_the_extract_is_full_and_has_exactly_the_accounts(extracting: Extracting, behaviour: dict[str, Any]) -> None:
    with FakeSisense(**{"users": accounts(230), **behaviour}) as fake:
        done = extracting(fake)

    assert done.failed == set()
    assert done.ids == fake.ids
    assert len(done.rows("users")) == len(fake.users)


TICKS = itertools.count()
PARTIAL = {
    "count says more": ({"count_is": lambda real: real + 5}, {"count_agrees"}),
    "count never still": ({"count_is": lambda real: real + next(TICKS)}, {"count_stable"}),
    "ignores skip, honours limit, no count": ({"ignores_skip": True, "has_count": False}, {"end_proven"}),
    "whole list of one account, no count": (
        {"ignores_skip": True, "ignores_limit": True, "has_count": False, "users": accounts(1)},
        {"end_proven"},
    ),
    "ignores skip, low cap": ({"ignores_skip": True, "cap": 20}, {"count_agrees", "end_proven"}),
    "ignores skip, low cap, no count": ({"ignores_skip": True, "cap": 20, "has_count": False}, {"end_proven"}),
    "no accounts at all": ({"users": []}, {"end_proven"}),
    "every page empty, no count": ({"short": lambda nth, size: 0, "has_count": False}, {"end_proven"}),
}


@pytest.mark.parametrize(("behaviour", "checks"), PARTIAL.values(), ids=PARTIAL.keys())
def test_an_unproven_end_or_caller_fails_its_check(
    extracting: Extracting, behaviour: dict[str, Any], checks: set[str]
) -> None:
    with FakeSisense(**{"users": accounts(230), **behaviour}) as fake:
        done = extracting(fake)

    assert checks <= done.failed


@pytest.mark.parametrize("has_count", [True, False])
def test_a_page_that_always_replaces_another_does_not_prove_the_end(extracting: Extracting, has_count: bool) -> None:
    with FakeSisense(accounts(230), has_count=has_count) as fake:
        always_the_third_page_of_fifty(fake)
        done = extracting(fake)

    assert done.observed("end_proven").result == "FAIL"
    assert "came twice" in done.observed("end_proven").explanation


def test_a_page_that_stays_unreadable_leaves_a_gap_that_is_named(extracting: Extracting) -> None:
    with FakeSisense(accounts(230)) as fake:
        users = fake.handlers["users"]
        fake.handlers["users"] = lambda request: as_html() if request.query["skip"] == "98" else users(request)
        done = extracting(fake, max_attempts=2)

    assert {"pages_readable", "end_proven"} <= done.failed
    assert "skip=98" in done.observed("pages_readable").explanation
    assert len(done.ids) == 182  # 48 of the page stand on no other one


def test_a_list_that_never_ends_is_abandoned(extracting: Extracting) -> None:
    with FakeSisense(accounts(100)) as fake:
        fake.handlers["users"] = lambda request: as_json(
            [account(int(request.query["skip"]) + i + 1) for i in range(int(request.query["limit"]))]
        )
        done = extracting(fake)

    assert "end_proven" in done.failed
    assert "stopped" in done.observed("end_proven").explanation
    assert fake.seen["users"] < 50


def test_a_list_that_repeats_forever_is_abandoned(extracting: Extracting) -> None:
    with FakeSisense(accounts(75), has_count=False) as fake:
        fake.handlers["users"] = lambda request: as_json(
            [account((int(request.query["skip"]) + i) % 75) for i in range(min(10, int(request.query["limit"])))]
        )
        done = extracting(fake)

    assert "end_proven" in done.failed
    assert fake.seen["users"] < 200


def test_pages_are_read_concurrently_at_the_size_the_server_honours(extracting: Extracting) -> None:
    with FakeSisense(accounts(100), cap=10) as fake:
        done = extracting(fake)

    assert done.outcome.settings["users_page_size"] == "10"
    pages = sorted((p.offset, p.items) for p in done.pages if (p.resource, p.sweep) == ("users", 1))
    assert pages == [(offset, 10) for offset in range(0, 99, 9)] + [(99, 1), (100, 0)]


def test_a_long_list_without_a_sign_of_change_is_read_once_and_each_page_requested_once(
    extracting: Extracting,
) -> None:
    with FakeSisense(accounts(230)) as fake:
        done = extracting(fake, page_size=4)

    assert sorted(fake.pages_requested) == sorted(
        [(0, 4), *((offset, 4) for offset in range(0, 229, 3)), (229, 4), (230, 4)]
    )
    assert done.outcome.accepted_sweeps["users"] == 1
    assert done.observed("sweeps_agree").result == "NOT_AVAILABLE"
    assert done.outcome.server_counts == {"users_before": 230, "users_after": 230}


def test_a_short_list_is_read_twice_and_each_page_requested_once_a_reading(extracting: Extracting) -> None:
    with FakeSisense(accounts(230)) as fake:
        done = extracting(fake)

    once = [(offset, 50) for offset in (0, 49, 98, 147, 196, 229, 230)]
    assert sorted(fake.pages_requested) == sorted([(0, 50), *once, *once])
    assert done.outcome.accepted_sweeps["users"] == 2
    assert done.observed("sweeps_agree").result == "PASS"


def test_without_a_count_two_readings_must_agree(extracting: Extracting) -> None:
    with FakeSisense(accounts(230), has_count=False) as fake:
        done = extracting(fake)

    assert done.outcome.accepted_sweeps["users"] == 2
    assert done.observed("sweeps_agree").result == "PASS"
    assert "users_count" in done.outcome.missing


@pytest.mark.parametrize("has_count", [True, False])
@pytest.mark.parametrize("change", ["add", "remove", "both"])
def test_a_list_that_changes_is_read_until_it_stops_changing(
    extracting: Extracting, change: str, has_count: bool
) -> None:
    with FakeSisense(accounts(230), has_count=has_count) as fake:

        def move(nth: int) -> None:
            if nth == 4 and change in ("remove", "both"):
                del fake.users[10]
            if nth == 4 and change in ("add", "both"):
                fake.users.insert(0, account(5000))

        fake.before_page = move
        done = extracting(fake, concurrency=1)

    assert done.failed == set()
    assert done.ids == fake.ids
    assert done.outcome.accepted_sweeps["users"] > 1


def test_a_list_that_never_stops_changing_is_partial_and_keeps_the_evidence(extracting: Extracting) -> None:
    with FakeSisense(accounts(230)) as fake:
        fake.before_page = lambda nth: fake.users.insert(0, account(5000 + nth))
        done = extracting(fake)

    assert {"sweeps_agree", "end_proven"} <= done.failed
    kept = {page.sweep for page in done.pages if page.resource == "users" and page.file}
    assert kept == set(range(1, done.outcome.accepted_sweeps["users"] + 1))


def test_accounts_without_a_usable_id_are_kept(extracting: Extracting) -> None:
    odd = [{"userName": "none"}, {"_id": None, "userName": "null"}, {"_id": 7}, {"_id": {"$oid": "x"}}, {"_id": ""}]
    with FakeSisense(accounts(60) + odd) as fake:
        done = extracting(fake)

    assert done.rows("users") == fake.users
    assert done.observed("end_proven").result == "PASS"


def test_ids_are_compared_exactly_in_case_and_script(extracting: Extracting) -> None:
    ids = ["00000000000000000000000a", "00000000000000000000000A", "a", "10"]
    with FakeSisense([{"_id": i} for i in ids]) as fake:
        done = extracting(fake)

    assert done.failed == set()
    assert done.ids == set(ids)


def test_groups_come_with_their_members_and_are_read_twice(extracting: Extracting) -> None:
    groups = [{"_id": f"{i:024x}", "name": f"g{i}", "users": [f"{1:024x}"]} for i in range(120)]
    with FakeSisense(accounts(3), groups=groups) as fake:
        done = extracting(fake)

    assert sorted(done.rows("groups"), key=lambda g: g["_id"]) == groups
    assert done.outcome.accepted_sweeps["groups"] == 2
    assert done.observed("groups_end_proven").result == "PASS"


def requested_groups(fake: FakeSisense) -> list[tuple[int, int]]:
    requests = [request.query for request in fake.server.requests if request.path.endswith("/groups")]
    return [(int(query["skip"]), int(query["limit"])) for query in requests]


def test_the_answer_that_finds_the_list_of_groups_is_its_first_page(extracting: Extracting) -> None:
    groups = [{"_id": f"{i:024x}", "name": f"g{i}", "users": []} for i in range(120)]
    with FakeSisense(accounts(3), groups=groups) as fake:
        done = extracting(fake)

    once = [(0, 50), (49, 50), (98, 50)]
    assert [page for page in sorted(requested_groups(fake)) if page in once] == sorted([*once, *once])
    assert (0, 1) not in requested_groups(fake)
    assert [page.resource for page in done.pages].count("probe") == 1  # that of the accounts
    assert len([page for page in done.pages if page.resource == "groups"]) == len(requested_groups(fake))


@pytest.mark.parametrize("trouble", [Reply(503), as_html()], ids=["503", "a web page"])
def test_a_first_page_of_groups_that_is_too_much_at_first_is_requested_again(
    extracting: Extracting, trouble: Reply
) -> None:
    groups = [{"_id": f"{i:024x}", "name": f"g{i}", "users": []} for i in range(120)]
    with FakeSisense(
        accounts(3), groups=groups, fault=lambda r, n: trouble if r == "groups" and n < 4 else None
    ) as fake:
        done = extracting(fake)

    assert done.failed == set()
    assert requested_groups(fake)[:5] == [(0, 50)] * 3 + [(0, 1), (0, 50)]
    assert len(done.rows("groups")) == 120


def test_groups_are_read_with_pages_of_the_size_that_the_server_accepts(extracting: Extracting) -> None:
    groups = [{"_id": f"{i:024x}", "name": f"g{i}", "users": []} for i in range(120)]
    with FakeSisense(accounts(230), groups=groups, refuses_above=30) as fake:
        done = extracting(fake)

    assert done.failed == set()
    assert requested_groups(fake)[0] == (0, 1)
    assert len(done.rows("groups")) == 120


def test_little_is_requested_beyond_the_end_of_a_list_without_a_count(extracting: Extracting) -> None:
    groups = [{"_id": f"{i:024x}", "name": f"g{i}", "users": []} for i in range(95)]
    with FakeSisense(accounts(3), groups=groups) as fake:
        done = extracting(fake, page_size=10, concurrency=20)

    assert len(done.rows("groups")) == 95
    beyond = [page for page in requested_groups(fake) if page[0] > 95]
    assert 2 <= len(beyond) <= 8  # at least one in each of the two readings
