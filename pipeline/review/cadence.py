"""Which reviews are due, by the cadence of the configuration.

A period is a calendar month, quarter or year in UTC. Each needs one review that was opened in it; a review of all
access counts for every scope. A scope is late when the previous period has ended without a signed-off review.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from typing import Literal

from pipeline.reporting.text import day
from pipeline.review.campaign import Campaign

__all__ = ["DueReview", "due_reviews"]

#: The widest scope first: if all access is due, its review covers the others.
_SCOPES = ("all", "external", "privileged")
_PERIODS = {1: "month", 3: "quarter", 12: "year"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReview:
    """The review of one scope in the current period, which ends on ``due_on``.

    ``done``: it is signed off. ``open``: ``campaign`` is still open. ``covered``: the review of all access, to open
    as ``campaign``, covers it. ``due``: it is to be opened, and ``campaign`` is a name for it. ``reason`` is a
    sentence about the last review.
    """

    scope: str
    period: str
    due_on: date
    state: Literal["done", "open", "covered", "due"]
    is_late: bool
    campaign: str
    reason: str


def due_reviews(past: Sequence[Campaign], months: Mapping[str, int], today: date) -> tuple[DueReview, ...]:
    """Return the review of each scope that has a cadence, the widest scope first.

    ``past`` are all campaigns. ``months`` is the length of the period, by scope.
    """
    taken = {campaign.campaign for campaign in past}
    found: list[DueReview] = []
    for scope in _SCOPES:
        if scope not in months:
            continue
        review = _review(scope, months[scope], [each for each in past if each.scope in {"all", scope}], today)
        wider = next((each for each in found if each.scope == "all" and each.state == "due"), None)
        if review.state == "due" and wider is not None:
            review = replace(review, state="covered", campaign=wider.campaign)
        elif review.state == "due":
            review = replace(review, campaign=_unused(_name(scope, months[scope], today), taken))
        found.append(review)
    return tuple(found)


def _review(scope: str, months: int, past: Sequence[Campaign], today: date) -> DueReview:
    """Return the review of one scope; ``past`` are the campaigns that count for it."""
    period = _period(today, months)
    still_open = [each for each in past if not each.is_signed]
    signed = [each for each in past if each.is_signed]
    last = max(signed, key=lambda each: (each.opened_at, each.campaign), default=None)
    is_late = last is not None and _period(last.opened_at.date(), months) < period - 1
    state: Literal["done", "open", "due"] = "due"
    if last is None or last.signed_at is None:
        campaign, reason = "", f"There is no signed-off review of {scope} access."
    else:
        campaign = last.campaign
        reason = f"The last review, {campaign}, was signed off on {day(last.signed_at)}."
        if _period(last.opened_at.date(), months) >= period:
            state = "done"
    if still_open:
        newest = max(still_open, key=lambda each: (each.opened_at, each.campaign))
        state, campaign = "open", newest.campaign
        reason = f"{campaign} is open since {day(newest.opened_at)}" + (
            f", and decisions were due on {day(newest.due_on)}."
            if newest.due_on is not None and newest.due_on < today
            else "."
        )
    return DueReview(
        scope=scope,
        period=_PERIODS[months],
        due_on=_last_day(period, months),
        state=state,
        is_late=is_late,
        campaign=campaign,
        reason=reason + (f" The previous {_PERIODS[months]} has no review." if is_late else ""),
    )


def _period(moment: date, months: int) -> int:
    """Return the number of the period of a day, counted from the year 0."""
    return (moment.year * 12 + moment.month - 1) // months


def _last_day(period: int, months: int) -> date:
    year, month = divmod((period + 1) * months, 12)
    return date(year, month + 1, 1) - timedelta(days=1)


def _name(scope: str, months: int, today: date) -> str:
    """Return a name such as ``2026-Q4-privileged``, ``2026-11-external`` or, for all access, ``2026``."""
    period = {1: f"-{today.month:02}", 3: f"-Q{(today.month + 2) // 3}", 12: ""}[months]
    return f"{today.year}{period}" + ("" if scope == "all" else f"-{scope}")


def _unused(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(other for other in (f"{name}-{number}" for number in count(2)) if other not in taken)
