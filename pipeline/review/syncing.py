"""Brings what happened on the page of a campaign into the database: decisions, reassignments and mails.

Each has a random id, so that bringing it in twice changes nothing. A process that is killed loses nothing: what is on
the page stays there, and the next call brings it in.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.clock import as_stored
from pipeline.errors import GateError
from pipeline.review import campaign as campaigns
from pipeline.review.store import ReviewStore
from pipeline.review.store.connections import as_text, statement
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection
from pipeline.wording import counted

__all__ = ["BroughtIn", "add_decisions", "bring_in", "closed", "synchronized", "waiting"]


@dataclass(frozen=True, slots=True)
class BroughtIn:
    """What was brought in: first decisions on items, later decisions on them, and reassignments."""

    new: int = 0
    changed: int = 0
    reassigned: int = 0

    @property
    def decisions(self) -> int:
        """Return how many decisions were brought in."""
        return self.new + self.changed


@contextmanager
def synchronized(
    connection: Connection, campaign: str, store: ReviewStore | None, now: datetime
) -> Iterator[tuple[sqlite3.Connection | None, BroughtIn]]:
    """Bring in what is on the page, then keep the page from changing until the block has ended.

    Without a store there is nothing to bring in. Call it inside a transaction of the database, so that the store
    commits first: what is in the database is then always in the store too.
    """
    if store is None:
        yield None, BroughtIn()
        return
    with store.writing() as held:
        found = _take(connection, campaign, held, now)
        # The campaign is open in the database, so a sign-off that closed the page was killed or failed.
        held.execute("update campaign set closed_at = null")
        yield held, found


def bring_in(connection: Connection, campaign: str, store: ReviewStore, now: datetime) -> BroughtIn:
    """Bring in everything on the page of an open campaign, in one transaction."""
    with database.transaction(connection), synchronized(connection, campaign, store, now) as (_, found):
        return found


def add_decisions(
    connection: Connection, campaign: str, rows: Sequence[Mapping[str, Any]], now: datetime
) -> BroughtIn:
    """Add decisions, in the columns of the store, to the database; those that it has already are left out."""
    numbers = _add(connection, "bring_in", campaign, rows, now)
    return BroughtIn(new=numbers.count(1), changed=sum(number > 1 for number in numbers))


def waiting(connection: Connection, campaign: str, store: ReviewStore) -> Counter[str]:
    """Return how many decisions and reassignments on the page have not been brought in, by kind."""
    with store.reading() as held:
        return _waiting(connection, campaign, held)


@contextmanager
def closed(connection: Connection, campaign: str, store: ReviewStore | None, now: datetime) -> Iterator[None]:
    """Close the page while the block signs the campaign off; open it again if that fails.

    A process that is killed leaves the page closed; the next import opens it, and the next sign-off goes on.

    Raises:
        GateError: decisions or reassignments on the page have not been brought in.
    """
    if store is None:
        yield
        return
    with store.writing() as held:
        _refuse_waiting(_waiting(connection, campaign, held), campaign)
        with database.transaction(connection):
            _take(connection, campaign, held, now)  # the mails
        held.execute("update campaign set closed_at = $now", {"now": as_text(now)})
    try:
        yield
    except BaseException:
        if not campaigns.find(connection, campaign).is_signed:
            with store.writing() as held:
                held.execute("update campaign set closed_at = null")
        raise


def _take(connection: Connection, campaign: str, held: sqlite3.Connection, now: datetime) -> BroughtIn:
    known = _known(connection, campaign)
    decisions = _rows(held, "decisions")
    found = add_decisions(connection, campaign, [row for row in decisions if row["decision_id"] not in known], now)
    handed = [row for row in _rows(held, "reassignments") if row["reassignment_id"] not in known]
    reassigned = len(_add(connection, "bring_in_reassignments", campaign, handed, now))
    # A mail that is being sent now, or was interrupted, is brought in when its outcome is known.
    mails = [row for row in _rows(held, "mails") if row["delivery"] != "sending"]
    _add(connection, "bring_in_mails", campaign, mails, now)
    return BroughtIn(found.new, found.changed, reassigned)


def _add(
    connection: Connection, name: str, campaign: str, rows: Sequence[Mapping[str, Any]], now: datetime
) -> list[int]:
    """Run a statement that adds rows; return the numbers that they got."""
    if not rows:
        return []
    values = {"campaign": campaign, "rows": json.dumps([dict(row) for row in rows]), "imported_at": as_stored(now)}
    return [int(row.get("sequence", 0)) for row in campaigns.rows(connection, name, **values)]


def _rows(held: sqlite3.Connection, name: str) -> list[dict[str, Any]]:
    return [dict(row) for row in held.execute(statement(name))]


def _known(connection: Connection, campaign: str) -> set[str]:
    return {str(row["id"]) for row in campaigns.rows(connection, "known_decisions", campaign=campaign)}


def _waiting(connection: Connection, campaign: str, held: sqlite3.Connection) -> Counter[str]:
    known = _known(connection, campaign)
    return Counter(row["kind"] for row in held.execute(statement("recorded")) if row["id"] not in known)


def _refuse_waiting(found: Counter[str], campaign: str) -> None:
    if found:
        parts = " and ".join(counted(found[kind], kind) for kind in sorted(found))
        is_one = found.total() == 1
        raise GateError(
            f"{parts} on the page {'has' if is_one else 'have'} not been brought in",
            where=f"campaign {campaign}",
            hint="run 'access-review review import', then sign off",
        )
