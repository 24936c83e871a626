"""Sessions of browsers. Each has a random cookie, of which the store keeps only the SHA-256."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.review.store.connections import as_text

__all__ = [
    "IDLE",
    "Arrival",
    "FoundSession",
    "NewSession",
    "Visitor",
    "complete_sign_in",
    "csrf_token",
    "end_session",
    "find_session",
    "mark_seen",
    "start_session",
]

#: A session that was not used for so long has ended: a working day.
IDLE = timedelta(hours=8)
#: ``seen_at`` is written at most so often, because each write waits for the disk.
_SEEN_EVERY = timedelta(minutes=5)
#: Completed sign-ins are remembered for so long. The provider's code is valid for minutes.
_REMEMBERED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, and how: ``method`` is ``link`` or ``oidc``. ``csrf`` is the token of the session's forms."""

    email: str
    is_reviewer: bool
    is_owner: bool
    method: str
    csrf: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who has just proved who they are, how, and until when that holds."""

    email: str
    is_owner: bool
    method: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that has not ended. ``is_to_be_marked`` says that its last use should be noted again."""

    email: str
    is_owner: bool
    method: str
    is_to_be_marked: bool


@dataclass(frozen=True, slots=True, repr=False)
class NewSession:
    """A session that was just started. ``cookie`` is for the visitor's browser only."""

    cookie: str
    expires_at: datetime


def start_session(connection: sqlite3.Connection, arrival: Arrival, *, now: datetime) -> NewSession:
    """Start a session. Call it inside a transaction."""
    cookie = secrets.token_urlsafe(32)
    started = as_text(now)
    connection.execute(
        "insert into sessions (cookie_sha256, email, is_owner, method, started_at, seen_at, expires_at) "
        "values (?, ?, ?, ?, ?, ?, ?)",
        (
            _digest(cookie),
            arrival.email,
            int(arrival.is_owner),
            arrival.method,
            started,
            started,
            as_text(arrival.expires_at),
        ),
    )
    return NewSession(cookie, arrival.expires_at)


def find_session(connection: sqlite3.Connection, cookie: str, *, now: datetime) -> FoundSession | None:
    """Return the session of a cookie, or None if there is none or it has ended."""
    row = connection.execute(
        "select email, is_owner, method, seen_at from sessions "
        "where cookie_sha256 = ? and ended_at is null and expires_at > ? and seen_at > ?",
        (_digest(cookie), as_text(now), as_text(now - IDLE)),
    ).fetchone()
    if row is None:
        return None
    return FoundSession(
        row["email"], bool(row["is_owner"]), row["method"], row["seen_at"] < as_text(now - _SEEN_EVERY)
    )


def mark_seen(connection: sqlite3.Connection, cookie: str, *, now: datetime) -> None:
    """Note that a session is in use, so that it does not end. Call it inside a transaction."""
    connection.execute("update sessions set seen_at = ? where cookie_sha256 = ?", (as_text(now), _digest(cookie)))


def end_session(connection: sqlite3.Connection, cookie: str, *, now: datetime) -> None:
    """End a session, if the cookie has one."""
    connection.execute(
        "update sessions set ended_at = ? where cookie_sha256 = ? and ended_at is null",
        (as_text(now), _digest(cookie)),
    )


def complete_sign_in(connection: sqlite3.Connection, cookie: str, *, now: datetime) -> bool:
    """Mark a sign-in at the identity provider as completed; return False if it was before.

    ``cookie`` is the value that the browser got when it was begun. Call it inside a transaction.
    """
    connection.execute("delete from completed_sign_ins where completed_at < ?", (as_text(now - _REMEMBERED),))
    inserted = connection.execute(
        "insert or ignore into completed_sign_ins (cookie_sha256, completed_at) values (?, ?)",
        (_digest(cookie), as_text(now)),
    )
    return inserted.rowcount == 1


def csrf_token(cookie: str) -> str:
    """Return the token that the forms of a session carry. Only the holder of the cookie, and we, can derive it."""
    digest = hmac.new(cookie.encode(), b"csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
