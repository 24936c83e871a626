"""Who may open the page of a campaign: links, sessions, and the log of who was refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import datetime

from pipeline.review.store import links, refusals, sessions
from pipeline.review.store.connections import StoreFile
from pipeline.review.store.links import Link
from pipeline.review.store.refusals import LoggedRefusal
from pipeline.review.store.sessions import Arrival, NewSession, Visitor

__all__ = ["StoredAccess"]


class StoredAccess(StoreFile):
    """The part of a store that knows its visitors. Times are aware."""

    def issue_link(self, email: str, *, is_owner: bool = False, valid_days: int, now: datetime) -> str:
        """Return the token of a new link, which exists nowhere else. Unused earlier links of the address end.

        The address of the link is ``<base_url>/link/<token>``.
        """
        with self.writing() as connection:
            name, _ = _campaign(connection)
            return links.issue_link(
                connection, name, _known(connection, email), is_owner=is_owner, valid_days=valid_days, now=now
            )

    def check_link(self, token: str, now: datetime) -> Link:
        """Return the link of a token that could be redeemed now. Nothing is changed.

        Raises:
            LinkRefusedError: it could not.
        """
        with self.reading() as connection:
            name, is_closed = _campaign(connection)
            return links.check_link(connection, name, token, is_closed=is_closed, now=now)

    def sign_in_by_link(self, token: str, now: datetime) -> NewSession:
        """Use a link up, and start the session that it gives: both or neither. Raises as :meth:`check_link`."""
        with self.writing() as connection:
            name, is_closed = _campaign(connection)
            link = links.redeem_link(connection, name, token, is_closed=is_closed, now=now)
            arrival = Arrival(link.email, link.is_owner, "link", link.expires_at)
            return sessions.start_session(connection, arrival, now=now)

    def sign_in_by_email(
        self, email: str, owners: Collection[str], *, expires_at: datetime, now: datetime
    ) -> NewSession | None:
        """Start a session for an address that the identity provider has verified.

        Return None if it is neither a reviewer's nor one of ``owners``. Upper and lower case of the letters A to Z
        are equal, all else must be the same: letters that only look alike are other addresses.
        """
        with self.writing() as connection:
            known = _known(connection, email)
            is_owner = _folded(email) in {_folded(owner) for owner in owners}
            if not is_owner and not _is_reviewer(connection, known):
                return None
            return sessions.start_session(connection, Arrival(known, is_owner, "oidc", expires_at), now=now)

    def complete_sign_in(self, cookie: str, now: datetime) -> bool:
        """Mark a sign-in at the identity provider as completed; return False if it was before."""
        with self.writing() as connection:
            return sessions.complete_sign_in(connection, cookie, now=now)

    def session(self, cookie: str, now: datetime, *, is_use: bool = True) -> Visitor | None:
        """Return who a session cookie belongs to, or None if it belongs to no session that has not ended.

        A session ends if it is not used for hours. ``is_use`` is False for what a page does by itself.
        """
        with self.reading() as connection:
            found = sessions.find_session(connection, cookie, now=now)
            is_reviewer = found is not None and _is_reviewer(connection, found.email)
        if found is None:
            return None
        if is_use and found.is_to_be_marked:
            with self.writing() as connection:
                sessions.mark_seen(connection, cookie, now=now)
        return Visitor(found.email, is_reviewer, found.is_owner, found.method, sessions.csrf_token(cookie))

    def end_session(self, cookie: str, now: datetime) -> None:
        """End a session, if the cookie has one."""
        with self.writing() as connection:
            sessions.end_session(connection, cookie, now=now)

    def record_refusal(self, kind: str, detail: str, address: str, now: datetime) -> None:
        """Append a refused request to the log. ``detail`` must hold no secret."""
        with self.writing() as connection:
            refusals.record_refusal(connection, kind, detail, address, now=now)

    def refusals(self, limit: int = 100) -> tuple[LoggedRefusal, ...]:
        """Return the newest refused requests, newest first."""
        with self.reading() as connection:
            return refusals.latest_refusals(connection, limit)

    def refusal_count(self) -> int:
        """Return how many requests were refused."""
        with self.reading() as connection:
            return refusals.count_refusals(connection)


def _campaign(connection: sqlite3.Connection) -> tuple[str, bool]:
    """Return the name of the campaign, and whether it is closed."""
    row = connection.execute("select name, closed_at from campaign").fetchone()
    return row["name"], row["closed_at"] is not None


def _known(connection: sqlite3.Connection, email: str) -> str:
    """Return an address as the items spell it, if one of them has it; else in lower case."""
    # lower() of SQLite changes only the letters A to Z
    row = connection.execute("select reviewer from items where lower(reviewer) = ?", (_folded(email),)).fetchone()
    return str(row["reviewer"]) if row else _folded(email)


def _is_reviewer(connection: sqlite3.Connection, email: str) -> bool:
    return connection.execute("select 1 from items where reviewer = ? limit 1", (email,)).fetchone() is not None


def _folded(email: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in email.strip())
