"""Reads cards, progress and decisions from a store."""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.review.answers import Answer
from pipeline.review.store.cards import (
    CampaignFacts,
    CardFilter,
    CardProgress,
    ItemCard,
    LastStep,
    PersonCard,
    TargetRole,
)
from pipeline.review.store.connections import Row, StoreFile, day, moment, statement

__all__ = ["FilterChoices", "LoggedDecision", "StoredCards", "answer_of", "as_searched", "can_accept", "item_card"]

_SEVERITIES = ("critical", "high", "medium", "low", "info")
_HIGH_RISK = frozenset({"critical", "high"})
#: Severities of findings and risks that forbid to accept the recommendations for a person in one step.
_DECIDED_ONE_BY_ONE = frozenset({"critical", "high", "medium"})
_SEPARATOR = "; "


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """What the cards of one reviewer can be filtered by."""

    departments: tuple[str, ...]
    roles: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """One entry of the list of decisions. ``decision`` is ``withdrawn`` if the reviewer took the only one back.

    ``undoes`` is the id of the decision that it takes back, ``number`` its place in the list, from 1.
    ``decided_at`` is when the reviewer decided, for a file when it was imported.
    """

    number: int
    decision_id: str
    item_id: str
    card_id: str
    person: str
    entitlement_type: str
    access: str
    decision: str
    reason: str | None
    reviewer: str
    method: str
    is_bulk: bool
    decided_from: str | None
    decided_at: datetime
    undoes: str | None


class StoredCards(StoreFile):
    """The cards of a store: what reviewers see, and what the owner of the campaign sees of them."""

    @property
    def campaign(self) -> CampaignFacts:
        """Return the facts of the campaign."""
        [row] = self.rows("campaign")
        return CampaignFacts(
            row["name"],
            row["organization"],
            row["snapshot_id"],
            row["scope"],
            moment(row["opened_at"]),
            day(row["due_on"]),
            moment(row["closed_at"]) if row["closed_at"] else None,
        )

    def target_roles(self) -> tuple[TargetRole, ...]:
        """Return the roles to which access can be reduced, by source, the least powerful first."""
        return tuple(TargetRole(row["source"], row["name"], row["rank"]) for row in self.rows("target_roles"))

    def progress(self, reviewer: str) -> CardProgress:
        """Return how far a reviewer is; all counts are 0 for an address that reviews nothing."""
        [row] = self.rows("progress", reviewer=reviewer)
        return CardProgress(**row)

    def reviewers(self) -> tuple[CardProgress, ...]:
        """Return how far each reviewer is, by address."""
        return tuple(CardProgress(**row) for row in self.rows("progress_by_reviewer"))

    def risks(self) -> tuple[CardProgress, ...]:
        """Return how far the items of each risk are decided, the most severe first."""
        found = [CardProgress(**row) for row in self.rows("progress_by_risk")]
        return tuple(sorted(found, key=lambda each: _SEVERITIES.index(each.label)))

    def parts(self, reviewer: str) -> tuple[CardProgress, ...]:
        """Return how far a reviewer is with the items of each attention, the most urgent first; labels are 1 to 4."""
        return tuple(CardProgress(**row) for row in self.rows("progress_by_attention", reviewer=reviewer))

    def last_step(self, reviewer: str) -> LastStep | None:
        """Return what undo takes back for a reviewer, or None if there is nothing."""
        found = self.rows("last_action", reviewer=reviewer)
        if not found:
            return None
        last = found[-1]
        return LastStep(
            last["step_id"],
            last["last_decision"],
            last["name"],
            last["person"],
            bool(last["is_last_bulk"]),
            len(found),
        )

    def choices(self, reviewer: str) -> FilterChoices:
        """Return what the cards of a reviewer can be filtered by."""
        names = defaultdict(list)
        for row in self.rows("choices", reviewer=reviewer):
            names[row["kind"]].append(row["name"])
        return FilterChoices(tuple(names["department"]), tuple(names["role"]), tuple(names["group"]))

    def cards(
        self, reviewer: str, chosen: CardFilter | None = None, offset: int = 0, limit: int = 50
    ) -> tuple[tuple[PersonCard, ...], int]:
        """Return the cards of a reviewer that match a filter, from ``offset`` on, and the number of all that match.

        Flagged people come first, by severity; then new or changed access, the rest, and last what was kept last time
        and has not changed. A matching card shows all of its items.
        """
        chosen = chosen or CardFilter()
        values = {
            "reviewer": reviewer,
            "risk": chosen.risk,
            "department": chosen.department,
            "role": chosen.role,
            "group": chosen.group,
            "decision": chosen.decision,
            "text": as_searched(chosen.text) if chosen.text else None,
        }
        with self.reading() as connection:
            found = connection.execute(statement("cards"), {**values, "offset": offset, "limit": limit}).fetchall()
            if not offset and len(found) < limit:
                total = len(found)
            else:
                [total] = connection.execute(statement("card_count"), values).fetchone()
            ids = json.dumps([row["card_id"] for row in found])
            items = connection.execute(statement("items"), {"reviewer": reviewer, "cards": ids}).fetchall()
        by_card = defaultdict(list)
        for item in items:
            by_card[item["card_id"]].append(item_card(item))
        return tuple(_person_card(row, by_card[row["card_id"]]) for row in found), total

    def card(self, reviewer: str, card_id: str) -> PersonCard | None:
        """Return one card of a reviewer, or None if the reviewer has no item on it."""
        with self.reading() as connection:
            row = connection.execute(statement("card"), {"reviewer": reviewer, "card_id": card_id}).fetchone()
            if row is None:
                return None
            ids = json.dumps([card_id])
            items = connection.execute(statement("items"), {"reviewer": reviewer, "cards": ids}).fetchall()
        return _person_card(row, [item_card(item) for item in items])

    def item(self, reviewer: str, item_id: str) -> ItemCard | None:
        """Return one item of a reviewer, or None if it is not theirs now."""
        found = self.rows("item", item_id=item_id)
        return item_card(found[0]) if found and found[0]["reviewer"] == reviewer else None

    def latest_decisions(
        self, after: int = 0, limit: int = 100, *, before: int | None = None
    ) -> tuple[LoggedDecision, ...]:
        """Return the newest decisions with a number between ``after`` and ``before``, newest first.

        Decisions that were taken back are among them.
        """
        return tuple(
            LoggedDecision(
                row["sequence"],
                row["decision_id"],
                row["item_id"],
                row["card_id"],
                row["person"],
                row["entitlement_type"],
                row["access"],
                row["decision"],
                row["reason"],
                row["reviewer"],
                row["method"],
                bool(row["is_bulk"]),
                row["decided_from"],
                moment(row["decided_at"] or row["recorded_at"]),
                row["undoes"],
            )
            for row in self.rows("latest_decisions", after=after, before=before, limit=limit)
        )


def as_searched(text: str) -> str:
    """Return a text in the form in which texts are compared: without case, marks on letters, and extra space."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


def answer_of(row: Row) -> Answer | None:
    """Return the answer in the columns of a decision, or None if there is none or it was taken back."""
    if row["decision"] is None or row["decision"] == "withdrawn":
        return None
    return Answer(
        row["decision"],
        row["reason"],
        row["target_role"],
        day(row["defer_until"]),
        row["approver"],
        day(row["expires_on"]),
    )


def can_accept(items: Sequence[ItemCard], risk: str | None) -> int:
    """Return how many open items of a card would be kept by accepting the recommendations; 0 if that is refused.

    It is refused unless all open items are recommended to be kept. ``risk`` is the severity of the findings about the
    account: a person with a finding or an item of medium severity or higher is decided item by item.
    """
    pending = [item for item in items if item.answer is None]
    is_offered = all(item.recommendation == "keep" for item in pending)
    is_flagged = any(each in _DECIDED_ONE_BY_ONE for each in (risk, *(item.risk for item in items)))
    return len(pending) if is_offered and not is_flagged else 0


def _person_card(row: Row, items: list[ItemCard]) -> PersonCard:
    risks = [item.risk for item in items] + ([row["risk"]] if row["risk"] else [])
    return PersonCard(
        row["card_id"],
        row["name"],
        row["title"],
        row["department"],
        row["manager_email"],
        row["email"],
        row["status"],
        row["last_seen"],
        _parts(row["findings"]),
        min(risks, key=_SEVERITIES.index),
        min(item.attention for item in items),
        can_accept(items, row["risk"]),
        tuple(items),
    )


def item_card(row: Row) -> ItemCard:
    """Return the item in a row of ``sql/store/items.sql``."""
    return ItemCard(
        row["item_id"],
        row["card_id"],
        row["source"],
        row["account_id"],
        row["user_name"],
        row["email"],
        row["entitlement_type"],
        row["entitlement_id"],
        row["name"],
        row["permission_level"],
        row["allows"],
        row["opens"] if "opens" in row.keys() else None,  # noqa: SIM118 - stores of earlier versions lack it
        row["path"],
        row["risk"],
        row["risk"] in _HIGH_RISK,
        _parts(row["findings"]),
        row["conflict"],
        _parts(row["conflict_with"]),
        row["peers"],
        row["change"],
        row["recommendation"],
        row["recommendation_reason"],
        row["prior_decision"],
        row["attention"],
        row["position"],
        row["reviewer"],
        row["original_reviewer"],
        answer_of(row),
        moment(row["decided_at"]) if row["decided_at"] else None,
        row["decided_by"],
        row["method"],
        bool(row["is_bulk"]),
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(text.split(_SEPARATOR)) if text else ()
