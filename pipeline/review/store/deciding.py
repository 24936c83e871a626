"""Decisions on the page: checked, added one by one, and taken back by adding the answer before."""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from pipeline.review import answers
from pipeline.review.answers import Answer, AnswerProblem
from pipeline.review.store.cards import ItemCard
from pipeline.review.store.connections import as_text, moment, statement
from pipeline.review.store.reading import StoredCards, answer_of, can_accept, item_card

__all__ = [
    "Actor",
    "AnswerRefused",
    "CampaignClosed",
    "NotYourItem",
    "NothingToAccept",
    "NothingToUndo",
    "StoreRefusal",
    "StoredDecision",
    "StoredDecisions",
    "file_decision",
    "new_id",
    "require_open",
    "values_of",
]


@dataclass(frozen=True, slots=True)
class Actor:
    """A reviewer who acts: their address, how they are known (``link`` or ``oidc``), and their network address."""

    email: str
    method: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as it was stored. ``answer`` is None if the item is pending again."""

    decision_id: str
    item_id: str
    answer: Answer | None
    decided_at: datetime
    is_bulk: bool


class StoreRefusal(Exception):  # noqa: N818
    """Something that the page does not do; its text says why."""


class AnswerRefused(StoreRefusal):
    """The answer breaks a rule; ``problems`` say which field is wrong."""

    def __init__(self, problems: tuple[AnswerProblem, ...]) -> None:
        super().__init__("; ".join(problem.text for problem in problems))
        self.problems = problems


class NotYourItem(StoreRefusal):
    """There is no such item, or it is assigned to another reviewer."""


class CampaignClosed(StoreRefusal):
    """The campaign is signed off."""


class NothingToAccept(StoreRefusal):
    """The recommendations of a card cannot be accepted in one step."""


class NothingToUndo(StoreRefusal):
    """The reviewer has no decision on the page that still holds."""


class StoredDecisions(StoredCards):
    """The decisions of a store. All times are aware."""

    def decide(self, actor: Actor, item_id: str, answer: Answer, *, now: datetime) -> StoredDecision:
        """Store the decision of a reviewer on one of their items; it is on the disk when the call returns.

        The same decision again changes nothing: a browser that got no confirmation sends it once more.

        Raises:
            AnswerRefused: the answer breaks a rule.
            NotYourItem: the item is not one of theirs.
            CampaignClosed: the campaign is signed off.
        """
        with self.writing() as connection:
            opened_on = require_open(connection)
            item = _own_item(connection, actor, item_id)
            found = tuple(answers.problems(answer, item, _ranks(connection, item.source), opened_on))
            if found:
                raise AnswerRefused(found)
            return _repeated(connection, actor, item, answer) or _add(connection, actor, item_id, answer, now=now)

    def accept_recommendations(self, actor: Actor, card_id: str, *, now: datetime) -> int:
        """Keep all open items of a card in one step, recorded as such; return how many.

        Raises:
            NothingToAccept: an open item is not recommended to be kept or needs a reason, or there is none.
            NotYourItem: the reviewer has no item on the card.
            CampaignClosed: the campaign is signed off.
        """
        with self.writing() as connection:
            require_open(connection)
            values = {"reviewer": actor.email, "cards": json.dumps([card_id])}
            rows = connection.execute(statement("items"), values).fetchall()
            items = [item_card(row) for row in rows]
            if not items:
                raise NotYourItem("this card has no item of yours")
            [card] = connection.execute(statement("card"), {"reviewer": actor.email, "card_id": card_id}).fetchall()
            if not can_accept(items, card["risk"]):
                raise NothingToAccept(
                    "only where all open items are recommended to be kept, none needs a reason, and the person has "
                    "no finding of medium severity or higher"
                )
            pending = [item for item in items if item.answer is None]
            action = new_id()
            for item in pending:
                _add(connection, actor, item.item_id, Answer("keep"), now=now, is_bulk=True, action_id=action)
            return len(pending)

    def undo(self, actor: Actor, *, step_id: str | None = None, now: datetime) -> tuple[StoredDecision, ...]:
        """Take back the last step of a reviewer on the page; the answers before it hold again, or none.

        A step is one decision, or the accepted recommendations of a card. A second call takes back the step before.
        Decisions that came in a file, and items that were handed over, stay as they are. With ``step_id``, nothing
        but that step is taken back: a browser that got no confirmation sends the same once more.

        Raises:
            NothingToUndo: no step of theirs still holds, or ``step_id`` is not the last one.
            CampaignClosed: the campaign is signed off.
        """
        with self.writing() as connection:
            require_open(connection)
            rows = connection.execute(statement("last_action"), {"reviewer": actor.email}).fetchall()
            if not rows:
                raise NothingToUndo("there is no decision of yours to take back")
            if step_id not in {None, rows[0]["step_id"]}:
                raise NothingToUndo("this was taken back already, or is not your last decision any more")
            action = new_id()
            return tuple(_restore(connection, actor, row, now=now, action_id=action) for row in rows)


def new_id() -> str:
    """Return a random id that no other decision has."""
    return secrets.token_hex(16)


def values_of(answer: Answer | None) -> dict[str, Any]:
    """Return the columns of an answer; without one, those of a decision that was taken back."""
    if answer is None:
        answer = Answer("withdrawn")
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(answer).items()}


def require_open(connection: sqlite3.Connection) -> date:
    """Return the day on which the campaign was opened.

    Raises:
        CampaignClosed: it is signed off.
    """
    [row] = connection.execute(statement("campaign")).fetchall()
    if row["closed_at"]:
        raise CampaignClosed("the campaign is signed off: its decisions cannot change any more")
    return moment(row["opened_at"]).date()


def _own_item(connection: sqlite3.Connection, actor: Actor, item_id: str) -> ItemCard:
    row = connection.execute(statement("item"), {"item_id": item_id}).fetchone()
    if row is None or row["reviewer"] != actor.email:
        raise NotYourItem("this is not an item of yours")
    return item_card(row)


def _repeated(connection: sqlite3.Connection, actor: Actor, item: ItemCard, answer: Answer) -> StoredDecision | None:
    """Return the decision that holds if it is the same one, made by the same reviewer in the same way."""
    if item.answer != answer or item.decided_at is None or item.is_bulk:
        return None
    if (item.decided_by, item.method) != (actor.email, actor.method):
        return None
    held = "select decision_id, undoes from decisions join items on held = sequence where items.item_id = $item_id"
    [row] = connection.execute(held, {"item_id": item.item_id}).fetchall()
    if row["undoes"] is not None:  # what an undo restored is decided anew
        return None
    return StoredDecision(row["decision_id"], item.item_id, answer, item.decided_at, is_bulk=False)


def _ranks(connection: sqlite3.Connection, source: str) -> answers.Ranks:
    rows = connection.execute("select name, rank from roles where source = $source", {"source": source})
    return {(source, row["name"].lower()): row["rank"] for row in rows}


def file_decision(
    item_id: str, answer: Answer, reviewer: str, file: tuple[str, str], now: datetime
) -> dict[str, Any]:
    """Return a decision that came in a file, in the columns of the store. ``file`` is its name and its hash."""
    decision_id = new_id()
    return {
        "decision_id": decision_id,
        "item_id": item_id,
        **values_of(answer),
        "reviewer": reviewer,
        "method": "file",
        "is_bulk": False,
        "decided_from": None,
        "decided_at": None,  # the file does not say when
        "recorded_at": as_text(now),
        "undoes": None,
        "action_id": decision_id,
        "file_name": file[0],
        "file_sha256": file[1],
    }


def _add(
    connection: sqlite3.Connection, actor: Actor, item_id: str, answer: Answer | None, *, now: datetime, **more: Any
) -> StoredDecision:
    """Add a decision; ``more`` are further columns."""
    decision_id = new_id()
    time = as_text(now)
    values = {
        "decision_id": decision_id,
        "item_id": item_id,
        **values_of(answer),
        "reviewer": actor.email,
        "method": actor.method,
        "is_bulk": False,
        "decided_from": actor.address,
        "decided_at": time,
        "recorded_at": time,
        "undoes": None,
        "action_id": decision_id,
        "file_name": None,
        "file_sha256": None,
        **more,
    }
    connection.execute(statement("decide"), values)
    return StoredDecision(decision_id, item_id, answer, now, bool(values["is_bulk"]))


def _restore(
    connection: sqlite3.Connection, actor: Actor, row: sqlite3.Row, *, now: datetime, action_id: str
) -> StoredDecision:
    more = {"is_bulk": bool(row["is_bulk"]), "undoes": row["undoes"], "action_id": action_id}
    return _add(connection, actor, row["item_id"], answer_of(row), now=now, **more)
