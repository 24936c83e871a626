"""The log of refused requests: attacks, and mistakes that look like one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from pipeline.review.store.connections import as_text, moment

__all__ = ["LoggedRefusal", "count_refusals", "latest_refusals", "record_refusal"]

_MOST_DETAIL = 500


@dataclass(frozen=True, slots=True)
class LoggedRefusal:
    """One refused request: when, its kind, from which network address, and what is known of it, without secrets."""

    refused_at: datetime
    kind: str
    address: str
    detail: str


def record_refusal(connection: sqlite3.Connection, kind: str, detail: str, address: str, *, now: datetime) -> None:
    """Append one refusal to the log. ``detail`` must hold no secret."""
    connection.execute(
        "insert into refusals (refused_at, kind, address, detail) values (?, ?, ?, ?)",
        (as_text(now), kind, address, detail[:_MOST_DETAIL]),
    )


def latest_refusals(connection: sqlite3.Connection, limit: int) -> tuple[LoggedRefusal, ...]:
    """Return the newest refusals, newest first."""
    rows = connection.execute(
        "select refused_at, kind, address, detail from refusals order by sequence desc limit ?", (limit,)
    )
    return tuple(LoggedRefusal(moment(row[0]), *row[1:]) for row in rows)


def count_refusals(connection: sqlite3.Connection) -> int:
    """Return how many requests were refused."""
    row = connection.execute("select count(*) from refusals").fetchone()
    return int(row[0])
