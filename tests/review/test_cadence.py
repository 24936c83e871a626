"""Which reviews are due: one in each month, quarter or year, and a review of all access counts for every scope."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from pipeline.review.cadence import due_reviews
from pipeline.review.campaign import Campaign


def campaign(
    name: str, scope: str, opened_on: str, signed_on: str | None = None, due_on: str | None = None
) -> Campaign:
    opened_at = datetime.fromisoformat(opened_on).replace(tzinfo=UTC)
    signed_at = datetime.fromisoformat(signed_on).replace(tzinfo=UTC) if signed_on else None
    return Campaign(name, "s", "b", scope, date.fromisoformat(due_on) if due_on else None, opened_at, signed_at, None)


@pytest.mark.parametrize(
    ("months", "today", "name", "due_on"),
    [
        (1, date(2026, 11, 1), "2026-11-privileged", date(2026, 11, 30)),
        (1, date(2026, 12, 31), "2026-12-privileged", date(2026, 12, 31)),
        (3, date(2026, 10, 1), "2026-Q4-privileged", date(2026, 12, 31)),
        (3, date(2028, 3, 31), "2028-Q1-privileged", date(2028, 3, 31)),
        (12, date(2028, 2, 29), "2028-privileged", date(2028, 12, 31)),
    ],
)
def test_a_review_is_named_after_its_period_and_due_on_its_last_day(
    months: int, today: date, name: str, due_on: date
) -> None:
    [found] = due_reviews([], {"privileged": months}, today)

    assert (found.state, found.campaign, found.due_on, found.is_late) == ("due", name, due_on, False)
    assert found.reason == "There is no signed-off review of privileged access."


def test_a_review_of_this_period_is_done_and_the_next_period_needs_another() -> None:
    past = [campaign("Q4", "privileged", "2026-12-31T23:00", "2027-01-20")]  # counts for the month it was opened in

    [same_month] = due_reviews(past, {"privileged": 1}, date(2026, 12, 31))
    [next_month] = due_reviews(past, {"privileged": 1}, date(2027, 1, 31))
    [after_that] = due_reviews(past, {"privileged": 1}, date(2027, 2, 1))

    assert (same_month.state, same_month.is_late) == ("done", False)
    assert (next_month.state, next_month.is_late) == ("due", False)
    assert (after_that.state, after_that.is_late, after_that.campaign) == ("due", True, "2027-02-privileged")
    assert (
        after_that.reason == "The last review, Q4, was signed off on 20 Jan 2027. The previous month has no review."
    )


def test_an_open_campaign_is_finished_before_another_is_opened() -> None:
    past = [
        campaign("Aug", "privileged", "2026-08-01", "2026-08-20"),
        campaign("Oct", "privileged", "2026-10-05", due_on="2026-10-31"),
    ]

    [found] = due_reviews(past, {"privileged": 1}, date(2026, 11, 2))

    assert (found.state, found.campaign, found.is_late) == ("open", "Oct", True)
    assert found.reason.startswith("Oct is open since 5 Oct 2026, and decisions were due on 31 Oct 2026.")


def test_a_review_of_all_access_counts_for_every_scope_and_other_scopes_for_none() -> None:
    cadence = {"privileged": 1, "external": 3, "all": 12}
    narrow = [
        campaign("x", "flagged", "2026-11-02", "2026-11-03"),
        campaign("y", "privileged", "2026-11-02", "2026-11-03"),
    ]
    wide = [campaign("2026", "all", "2026-11-02", "2026-11-03")]

    def states(past: list[Campaign]) -> dict[str, tuple[str, str]]:
        return {each.scope: (each.state, each.campaign) for each in due_reviews(past, cadence, date(2026, 11, 29))}

    assert states([]) == {"all": ("due", "2026"), "external": ("covered", "2026"), "privileged": ("covered", "2026")}
    assert states(narrow) == {"all": ("due", "2026"), "external": ("covered", "2026"), "privileged": ("done", "y")}
    assert states(wide) == {"all": ("done", "2026"), "external": ("done", "2026"), "privileged": ("done", "2026")}


def test_a_name_that_is_taken_gets_a_number() -> None:
    past = [campaign("2026-Q4-privileged", "flagged", "2026-10-01", "2026-10-02")]

    [found] = due_reviews(past, {"privileged": 3}, date(2026, 11, 29))

    assert (found.state, found.campaign) == ("due", "2026-Q4-privileged-2")
