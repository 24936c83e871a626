"""Hands items over to another reviewer, and keeps the log of mails."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.addresses import AddressError, read_address
from pipeline.review.store.connections import StoreFile, as_text, moment, statement
from pipeline.review.store.deciding import NotYourItem, StoreRefusal, new_id, require_open
from pipeline.typed import LONGEST_TEXT, cleaned

__all__ = ["LoggedMail", "ReassignmentRefused", "StoredMails", "StoredReassignments"]

#: Items that an error lists.
_SHOWN = 5


class ReassignmentRefused(StoreRefusal):
    """Items cannot be handed over to this reviewer; nothing is."""


@dataclass(frozen=True, slots=True)
class LoggedMail:
    """A mail. ``delivery`` is ``sending``, ``sent``, ``written`` (to a file), ``failed`` or ``uncertain``.

    A mail that stays ``sending`` was interrupted: it may or may not have been sent.
    """

    mail_id: str
    kind: str
    recipient: str
    reason_key: str
    subject: str
    delivery: str
    detail: str | None
    sent_at: datetime


class StoredReassignments(StoreFile):
    """The reassignments of a store."""

    def reassign(
        self, items: Sequence[str] | None, from_: str, to: str, reason: str, by: str, *, now: datetime
    ) -> int:
        """Hand items of one reviewer over to another, or without ``items`` all that are open; return how many.

        All of them or none. ``by`` is who hands them over. The original reviewer stays on record, and decisions that
        were made hold until the new reviewer makes others.

        Raises:
            ReassignmentRefused: there is nothing to hand over, no reason, or the new reviewer cannot be one: no
                address, the same person, someone who has left, or the holder of one of the accounts.
            NotYourItem: an item is not assigned to ``from_``.
            CampaignClosed: the campaign is signed off.
        """
        giver, taker = _address(from_), _address(to)
        why = cleaned(reason)
        if not why:
            raise ReassignmentRefused("a reason is needed")
        if len(why) > LONGEST_TEXT:
            raise ReassignmentRefused(f"a reason has at most {LONGEST_TEXT:,} characters, this one has {len(why):,}")
        if giver == taker:
            raise ReassignmentRefused(f"{taker} is the reviewer already")
        chosen = None if items is None else json.dumps(sorted(set(items)))
        with self.writing() as connection:
            require_open(connection)
            values = {"reviewer": giver, "taker": taker, "items": chosen}
            rows = connection.execute(statement("reassignable"), values).fetchall()
            if items is not None and len(rows) < len(set(items)):
                missing = sorted(set(items) - {row["item_id"] for row in rows})
                raise NotYourItem(f"not assigned to {giver}: {', '.join(missing[:_SHOWN])}")
            if not rows:
                raise ReassignmentRefused(f"{giver} has no open items")
            _refuse_ineligible(taker, rows)
            for row in rows:
                values = {
                    "reassignment_id": new_id(),
                    "item_id": row["item_id"],
                    "from_email": giver,
                    "to_email": taker,
                    "reason": why,
                    "reassigned_by": by,
                    "reassigned_at": as_text(now),
                }
                connection.execute(statement("reassign"), values)
            return len(rows)


class StoredMails(StoreFile):
    """The log of mails in a store. No recipient gets two mails of one kind for the same reason."""

    def begin_mail(self, kind: str, reason_key: str, recipient: str, subject: str, *, now: datetime) -> str | None:
        """Log a mail before it is sent; return its id, or None if it was sent, or begun, before.

        ``kind`` is ``invitation``, ``reminder`` or ``reassignment``; ``reason_key`` tells two mails of one kind
        apart. A mail that failed can be begun again.
        """
        mail_id = new_id()
        values = {
            "mail_id": mail_id,
            "kind": kind,
            "recipient": recipient,
            "reason_key": reason_key,
            "subject": subject,
            "sent_at": as_text(now),
        }
        with self.writing() as connection:
            return mail_id if connection.execute(statement("begin_mail"), values).rowcount else None

    def finish_mail(self, mail_id: str, delivery: str, detail: str | None = None, *, now: datetime) -> None:
        """Log what became of a mail: ``sent``, ``written``, ``failed`` or ``uncertain``, and where or why."""
        values = {"mail_id": mail_id, "delivery": delivery, "detail": detail, "sent_at": as_text(now)}
        with self.writing() as connection:
            connection.execute(statement("finish_mail"), values)

    def mails(self) -> tuple[LoggedMail, ...]:
        """Return all mails, the oldest first."""
        return tuple(LoggedMail(**{**row, "sent_at": moment(row["sent_at"])}) for row in self.rows("mails"))


def _address(text: str) -> str:
    try:
        return read_address(text).lower()
    except AddressError as error:
        raise ReassignmentRefused(str(error)) from error


def _refuse_ineligible(taker: str, rows: Sequence[sqlite3.Row]) -> None:
    if rows[0]["is_leaver"]:
        raise ReassignmentRefused(f"{taker} belongs to a person who has left")
    own = [f"{row['person']} - {row['access']}" for row in rows if row["is_holder"]]
    if own:
        more = " ..." if len(own) > _SHOWN else ""
        raise ReassignmentRefused(f"{taker} holds this access: {'; '.join(own[:_SHOWN])}{more}")
