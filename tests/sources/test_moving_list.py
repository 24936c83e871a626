"""A list that changes while it is read: FULL contains every account that was there throughout."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

from tests.fakes.sisense import FakeSisense, account
from tests.search import looking_for
from tests.sources.conftest import Extract, Extracting, extract_from

#: Accounts that are there at first have every thousandth number, so that others can arrive between any two of them.
APART = 1000


@dataclass
class MovingList:
    """A server whose list changes at each request of a window: ``changes`` are taken in turn, before the page is cut.

    A change is "<what> <where>": an account leaves or arrives, or both, at the front, in the middle or at the end.
    ``throughout`` are the accounts that were there at every moment, ``ever`` those that were there at any.
    """

    number: int
    changes: list[str]
    window: range
    is_sorted: bool = True
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fake = FakeSisense([account(APART * (i + 1)) for i in range(self.number)], **self.options)
        self.fake.before_page = self.move
        self.throughout, self.ever = self.fake.ids, self.fake.ids
        self.moved = 0

    def move(self, nth: int) -> None:
        if nth in self.window and self.changes:
            what, where = self.changes[self.moved % len(self.changes)].split()
            self.moved += 1
            if what in ("leave", "both") and len(self.fake.users) > 1:
                del self.fake.users[self.place(where, len(self.fake.users) - 1)]
            if what in ("arrive", "both"):
                self.arrive(where)
        self.throughout &= self.fake.ids
        self.ever |= self.fake.ids

    def arrive(self, where: str) -> None:
        users = self.fake.users
        place = self.place(where, len(users))
        before = int(users[place - 1]["_id"], 16) if place else 0
        after = int(users[place]["_id"], 16) if place < len(users) else before + 2 * APART
        middle = (before + after) // 2
        between = itertools.chain(range(middle, after), range(middle - 1, before, -1))
        if not self.is_sorted:
            users.insert(place, account(10_000_000 + self.moved))
        elif free := next((n for n in between if f"{n:024x}" not in self.ever), None):
            users.insert(place, account(free))

    @staticmethod
    def place(where: str, last: int) -> int:
        return {"front": 0, "middle": last // 2, "end": last}[where]

    def holds(self, done: Extract) -> None:
        """Assert that a complete extract lost nobody and made nobody up, and has each account once."""
        if not done.failed:
            assert done.ids >= self.throughout
            assert done.ids <= self.ever
            assert len(done.rows("users")) == len(done.ids)


CHANGES = [f"{what} {where}" for what in ("leave", "arrive", "both") for where in ("front", "middle", "end")]


@pytest.mark.search
@looking_for(quick=8, deep=500, suppress_health_check=[HealthCheck.too_slow])
@given(
    number=st.integers(1, 110),
    changes=st.lists(st.sampled_from(CHANGES), min_size=1, max_size=6),
    start=st.integers(2, 80),
    length=st.sampled_from([1, 2, 3, 10, 40, 400]),
    page_size=st.sampled_from([1, 2, 3, 4, 5, 7, 10, 50, 500]),
    concurrency=st.integers(1, 8),
    cap=st.sampled_from([None, None, 1, 2, 3, 10]),
    has_count=st.booleans(),
    is_sorted=st.booleans(),
)
@example(110, ["leave front", "arrive end"], 20, 2, 4, 4, None, True, True)
@example(110, ["both front", "both end"], 30, 10, 3, 8, None, True, True)
@example(110, ["leave front", "arrive end"], 20, 2, 500, 4, 4, True, False)
def test_full_implies_every_account_that_was_there_throughout(
    number: int,
    changes: list[str],
    start: int,
    length: int,
    page_size: int,
    concurrency: int,
    cap: int | None,
    has_count: bool,
    is_sorted: bool,
) -> None:
    moving = MovingList(
        number, changes, range(start, start + length), is_sorted, {"cap": cap, "has_count": has_count}
    )
    with moving.fake, tempfile.TemporaryDirectory() as folder:
        done = extract_from(moving.fake, Path(folder) / "spool", page_size=page_size, concurrency=concurrency)
        moving.holds(done)


@pytest.mark.parametrize("concurrency", [1, 4, 8])
@pytest.mark.parametrize(("page_size", "cap", "where"), [(4, None, "front"), (500, 4, "middle")])
def test_as_many_leave_as_arrive_and_the_count_does_not_change(
    extracting: Extracting, concurrency: int, page_size: int, cap: int | None, where: str
) -> None:
    """The list is long enough to be read once, and only the boundaries show that it changed."""
    moving = MovingList(200, [f"leave {where}"] * 3 + ["arrive end"] * 3, range(50, 56), True, {"cap": cap})
    with moving.fake:
        done = extracting(moving.fake, page_size=page_size, concurrency=concurrency)

    moving.holds(done)
    assert done.failed == set()
    assert done.outcome.accepted_sweeps["users"] > 1
    overlap = done.observed("pages_overlap")
    assert (overlap.result, overlap.expected) == ("PASS", overlap.observed)


def test_a_list_that_does_not_change_is_read_once_and_all_boundaries_match(extracting: Extracting) -> None:
    moving = MovingList(200, [], range(0))
    with moving.fake:
        done = extracting(moving.fake, page_size=4)

    assert done.failed == set()
    assert done.outcome.accepted_sweeps["users"] == 1
    overlap = done.observed("pages_overlap")
    assert (overlap.result, overlap.expected, overlap.observed) == ("PASS", "67", "67")


def test_a_list_whose_keys_do_not_ascend_is_read_twice(extracting: Extracting) -> None:
    users = [account(n) for n in range(200, 0, -1)]
    with FakeSisense(users) as fake:
        done = extracting(fake, page_size=4)

    assert done.failed == set()
    assert done.ids == fake.ids
    assert done.outcome.accepted_sweeps["users"] == 2
    assert done.observed("sweeps_agree").result == "PASS"


def test_one_record_a_page_has_no_overlap_and_is_read_until_two_readings_agree(extracting: Extracting) -> None:
    moving = MovingList(90, ["leave front", "arrive end"], range(40, 42), True, {"cap": 1})
    with moving.fake:
        done = extracting(moving.fake)

    moving.holds(done)
    assert done.failed == set()
    assert done.observed("pages_overlap").result == "NOT_AVAILABLE"
    assert done.observed("sweeps_agree").result == "PASS"


def test_boundaries_that_never_match_make_the_extract_partial(extracting: Extracting) -> None:
    moving = MovingList(100, ["both front", "leave middle", "arrive middle"], range(2, 10_000))
    with moving.fake:
        done = extracting(moving.fake, page_size=10)

    assert {"pages_overlap", "end_proven"} <= done.failed
    assert "the list changed while it was read" in done.observed("pages_overlap").explanation


def test_a_last_account_that_leaves_at_the_end_is_a_sign_of_change(extracting: Extracting) -> None:
    moving = MovingList(30, ["leave end"], range(3, 4), True, {"has_count": False})
    with moving.fake:
        done = extracting(moving.fake)

    moving.holds(done)
    assert done.failed == set()
    assert done.outcome.accepted_sweeps["users"] == 3
