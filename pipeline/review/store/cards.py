"""What a reviewer sees: one card for each person, with the roles and groups to decide on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pipeline.review.answers import Answer

__all__ = ["CampaignFacts", "CardFilter", "CardProgress", "ItemCard", "LastStep", "PersonCard", "TargetRole"]


@dataclass(frozen=True, slots=True)
class ItemCard:
    """One role or group of one account, with all facts that bear on its decision, and the answer that holds.

    ``allows`` says in words what it permits, ``opens`` which dashboards and models, or None if they were not read.
    ``findings`` are those about this item only. ``conflict_with`` holds the ids of the other sides of its conflict of
    duties. ``attention`` is 1 high risk, 2 new or changed, 3 other, 4 unchanged and kept last time. With no answer,
    ``decided_at``, ``decided_by`` and ``method`` are None; an answer that came in a file has no ``decided_at``.
    """

    item_id: str
    card_id: str
    source: str
    account_id: str
    user_name: str | None
    email: str | None
    entitlement_type: str
    entitlement_id: str
    name: str
    permission_level: str
    allows: str | None
    opens: str | None
    path: str | None
    risk: str
    is_high_risk: bool
    findings: tuple[str, ...]
    conflict: str | None
    conflict_with: tuple[str, ...]
    peers: str | None
    change: str | None
    recommendation: str | None
    recommendation_reason: str | None
    prior_decision: str | None
    attention: int
    position: int
    reviewer_email: str
    original_reviewer_email: str
    answer: Answer | None
    decided_at: datetime | None
    decided_by: str | None
    method: str | None
    is_bulk: bool


@dataclass(frozen=True, slots=True)
class PersonCard:
    """One person with the items of one reviewer. A person with several accounts is one card.

    ``findings`` are about the account or person as a whole. ``risk`` is the most severe of these and of the items;
    ``attention`` is the most urgent of the items. ``can_accept`` counts the open items that
    ``accept_recommendations`` would keep; it is 0 where that is refused.
    """

    card_id: str
    name: str
    title: str | None
    department: str | None
    manager_email: str | None
    email: str | None
    status: str | None
    last_seen: str | None
    findings: tuple[str, ...]
    risk: str
    attention: int
    can_accept: int
    items: tuple[ItemCard, ...]


@dataclass(frozen=True, slots=True)
class CardFilter:
    """Which cards to show: those with an item that has all of these; None does not restrict.

    ``role`` and ``group`` are names, ``decision`` may be ``pending``, and ``text`` is searched in names, addresses,
    titles, departments, roles and groups, without regard to case.
    """

    risk: str | None = None
    department: str | None = None
    role: str | None = None
    group: str | None = None
    decision: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """The campaign of a store. ``closed_at`` is None until it is signed off. Times are aware, in UTC."""

    name: str
    organization: str
    snapshot_id: str
    scope: str
    opened_at: datetime
    due_on: date | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CardProgress:
    """How far the items of one reviewer, of one risk or of the campaign are decided."""

    label: str
    items: int
    decided: int
    pending: int
    high_risk: int
    high_risk_pending: int


@dataclass(frozen=True, slots=True)
class LastStep:
    """The decision of a reviewer that undo takes back, alone or with others of the same step."""

    step_id: str
    decision: str
    name: str
    person: str
    is_bulk: bool
    items: int


@dataclass(frozen=True, slots=True)
class TargetRole:
    """A role that access of a source can be reduced to. A role with a higher ``rank`` may do more."""

    source: str
    name: str
    rank: int | None
