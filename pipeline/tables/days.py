"""Reads calendar days as people and programs write them, and refuses those that are ambiguous."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

__all__ = ["DayError", "order_of", "read_day"]

_TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?(?: ?(?:Z|UTC|[+-]\d{2}:?\d{2}))?)?"
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" + _TIME)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})" + _TIME)
_SLASHED = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4})" + _TIME)
#: What databases write for a missing date.
_NONE = re.compile(r"0{4}[-/.]0{1,2}[-/.]0{1,2}(?:[ T][0:.Z]*)?|0{1,2}[-/.]0{1,2}[-/.]0{4}(?:[ T][0:.Z]*)?")


class DayError(ValueError):
    """A text that is not a day, or that could be two different days."""


def order_of(texts: Iterable[str]) -> str | None:
    """Return the order in which a file writes days: ``dmy``, ``mdy``, or None if its days do not show it."""
    orders = set()
    for text in texts:
        if found := _SLASHED.fullmatch(text):
            first, second = int(found[1]), int(found[3])
            if first > 12 >= second:
                orders.add("dmy")
            elif second > 12 >= first:
                orders.add("mdy")
    return orders.pop() if len(orders) == 1 else None


def read_day(text: str, order: str | None = None) -> date | None:
    """Return the day in a text as it is written, without regard to a time or zone; None for no day.

    ``order`` is that of the whole file, from :func:`order_of`.

    Raises:
        DayError: it is not a day, or could be two, such as 03/04/2026.
    """
    if not text or _NONE.fullmatch(text):
        return None
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(text, int(found[1]), int(found[3]), int(found[4]))
    if found := _DOTTED.fullmatch(text):
        return _day(text, int(found[3]), int(found[2]), int(found[1]))
    if found := _SLASHED.fullmatch(text):
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        if first <= 12 and second <= 12 and first != second and order is None:
            raise DayError(
                f"'{text}' could be {year}-{second:02}-{first:02} or {year}-{first:02}-{second:02}: "
                "write it as YYYY-MM-DD"
            )
        is_day_first = first > 12 or (second <= 12 and order == "dmy")
        return _day(text, year, second, first) if is_day_first else _day(text, year, first, second)
    raise DayError(f"'{text}' is not a date like 2026-01-31")


def _day(text: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise DayError(f"'{text}' is not a day of the calendar") from error
