"""The one place that reads the time of day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["Clock", "as_stored", "utc_now"]

#: Returns the current time, as :func:`utc_now` does.
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the current time, with UTC as its zone."""
    return datetime.now(UTC)


def as_stored(moment: datetime) -> datetime:
    """Return a moment with a zone as the database stores it: in UTC, without the zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)
