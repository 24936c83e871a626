"""What a reviewer reads first: what is asked, by when, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.reporting import text
from pipeline.review.store import CampaignFacts, CardProgress
from pipeline.wording import counted

__all__ = ["PARTS", "Introduction", "introduce", "total"]

#: Attention of an item -> the title of its part, in the order of the list.
PARTS = {
    "1": "High risk",
    "2": "New or changed",
    "3": "Other access",
    "4": "Kept last time, unchanged",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Items of one attention: how many there are, and how many are open."""

    title: str
    items: int
    pending: int


@dataclass(frozen=True, slots=True)
class Introduction:
    """A headline, a sentence below it, and the parts of the list."""

    headline: str
    lead: str
    parts: tuple[Part, ...]


def total(label: str, parts: Iterable[CardProgress]) -> CardProgress:
    """Return the sum of several counts."""
    names = ("items", "decided", "pending", "high_risk", "high_risk_pending")
    rows = tuple(parts)
    return CardProgress(label, *(sum(getattr(row, name) for row in rows) for name in names))


def introduce(
    campaign: CampaignFacts, progress: CardProgress, parts: Sequence[CardProgress], today: date
) -> Introduction:
    """Return the introduction for a reviewer's progress; the label of each part is its attention."""
    return Introduction(
        _headline(campaign, progress, today),
        _lead(campaign, progress),
        tuple(Part(PARTS[part.label], part.items, part.pending) for part in parts if part.items),
    )


def _headline(campaign: CampaignFacts, progress: CardProgress, today: date) -> str:
    if campaign.closed_at:
        return f"You decided on {progress.decided:,} of {counted(progress.items, 'item')}"
    if not progress.pending:
        return f"All {counted(progress.items, 'item')} are decided" if progress.items > 1 else "Your item is decided"
    what = f"{progress.pending:,} of {counted(progress.items, 'item')}"
    if progress.pending == progress.items:
        what = counted(progress.items, "item")
    if campaign.due_on is None:
        return f"Please decide on {what} of access"
    days = (campaign.due_on - today).days
    if days < 0:
        return f"Please decide on {what} of access: they were due on {text.day(campaign.due_on)}"
    left = {0: "today", 1: "tomorrow"}.get(days, f"by {text.day(campaign.due_on)}")
    return f"Please decide on {what} of access {left}"


def _lead(campaign: CampaignFacts, progress: CardProgress) -> str:
    if campaign.closed_at:
        return "Thank you."
    if not progress.pending:
        return "There is nothing more to do. You can change a decision until the owner of the campaign signs it off."
    risky = progress.high_risk_pending
    first = (
        f"{counted(risky, 'item')} of high risk {'comes' if risky == 1 else 'come'} first and "
        f"{'needs' if risky == 1 else 'need'} a reason. "
        if risky
        else ""
    )
    return (
        f"{first}Does each person still need this access? Every decision is saved at once and can be changed until "
        "the campaign is signed off."
    )
