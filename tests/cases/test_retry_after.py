"""A server that asks to wait: in seconds, or until a moment by its own clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipeline.sources.diagnosis import duration
from tests.cases.case import Case, each
from tests.fakes.http import Reply
from tests.fakes.sisense import FakeSisense, accounts
from tests.sources.conftest import Extracting


def date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


WAITS = [
    Case("Retry-After", "seconds", "30 s", lambda: {"Retry-After": "30"}),
    Case("Retry-After", "a moment", "30 s", lambda: {"Retry-After": date(30), "Date": date(0)}),
    Case(
        "Retry-After",
        "a moment, its clock 10 min behind",
        "30 s",
        lambda: {"Retry-After": date(-570), "Date": date(-600)},
    ),
    Case(
        "Retry-After",
        "a moment, its clock 10 min ahead",
        "30 s",
        lambda: {"Retry-After": date(630), "Date": date(600)},
    ),
    Case(
        "Retry-After",
        "a moment, its clock a year ahead",
        "30 s",
        lambda: {"Retry-After": date(31536030), "Date": date(31536000)},
    ),
    Case("Retry-After", "a moment without a clock", "30 s", lambda: {"Retry-After": date(30)}),
    Case(
        "Retry-After",
        "a moment and a clock that makes no sense",
        "30 s",
        lambda: {"Retry-After": date(30), "Date": "now"},
    ),
    Case("Retry-After", "a moment that has passed", "no wait", lambda: {"Retry-After": date(-30), "Date": date(0)}),
    Case("Retry-After", "a day of no month", "no wait", lambda: {"Retry-After": "Mon, 99 Foo 99999 99:99:99 GMT"}),
    Case("Retry-After", "less than nothing", "no wait", lambda: {"Retry-After": "-5"}),
    Case("Retry-After", "no number", "no wait", lambda: {"Retry-After": "nan"}),
    Case("Retry-After", "more than any number", "no wait", lambda: {"Retry-After": "1e999"}),
]


@each(WAITS)
def test_a_retry_after_date_is_measured_by_the_servers_clock(extracting: Extracting, case: Case) -> None:
    busy = Reply(503, headers=case.content())
    with FakeSisense(accounts(3), fault=lambda r, nth: busy if (r, nth) == ("status", 1) else None) as fake:
        done = extracting(fake)

    assert done.failed == set()
    [slept] = done.waiting.slept
    assert 28 <= slept <= 32 if case.outcome == "30 s" else slept <= 0.5


LONG = [
    Case("Retry-After", "a day in seconds", "24 h", lambda: {"Retry-After": "86400"}),
    Case("Retry-After", "a day as a moment", "24 h", lambda: {"Retry-After": date(86400 - 600), "Date": date(-600)}),
    Case("Retry-After", "ten minutes", "10 min", lambda: {"Retry-After": "600"}),
    Case("Retry-After", "a year", "365 days", lambda: {"Retry-After": "31536000"}),
]


@each(LONG)
def test_a_long_wait_is_named_and_not_waited(extracting: Extracting, case: Case) -> None:
    busy = Reply(429, headers=case.content())
    with FakeSisense(accounts(3), fault=lambda r, nth: busy) as fake:
        done = extracting(fake)

    assert f"the server asks to wait {case.outcome}" in str(done.error)
    assert done.error is not None
    assert done.error.hint.startswith(f"run this again in {case.outcome}")
    assert max(done.waiting.slept) <= 120
    assert sum(done.waiting.slept) <= 300


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (90, "90 s"), (120, "2 min"), (7200, "2 h"), (86400, "24 h"), (1e9, "11574 days")],
)
def test_a_duration_has_a_fitting_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words
