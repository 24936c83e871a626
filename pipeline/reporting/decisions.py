"""The sum of decisions to remove or reduce access, in the same words in plan, report and sign-off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.reporting.text import number

__all__ = ["DecisionSum"]

#: Outcome of a decision -> its term; terms of 0 are shown too.
_TERMS = {"done": "done and verified", "open": "not yet verified", "gone": "already gone"}


@dataclass(frozen=True, slots=True)
class DecisionSum:
    """The number of decisions of one campaign, and the terms that add up to it: each a number and an outcome.

    ``unsent`` counts those not yet verified for which no change was sent, ``sent`` all for which one was; None if not
    known.
    """

    campaign: str
    decided: int
    terms: tuple[tuple[int, str], ...]
    unsent: int | None = None
    sent: int | None = None
    is_current: bool = True

    @classmethod
    def of(cls, campaign: str, decided: int, outcomes: Iterable[tuple[str, str | None]]) -> DecisionSum:
        """Count outcomes, each ``done``, ``open``, ``gone`` or ``left_out``, the last with its reason."""
        counted = Counter(_TERMS.get(outcome) or f"left out: {reason}" for outcome, reason in outcomes)
        reasons = sorted(term for term in counted if term not in _TERMS.values())
        return cls(campaign, decided, tuple((counted[term], term) for term in (*_TERMS.values(), *reasons)))

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]]) -> tuple[DecisionSum, ...]:
        """Arrange the rows of ``reports.decision_sums``, which are in the order of the terms."""
        campaigns: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            campaigns.setdefault(row["campaign"], []).append(row)
        return tuple(
            cls(
                campaign,
                terms[0]["decided"],
                tuple((term["decisions"], term["label"]) for term in terms),
                sent=sum(term["sent"] for term in terms),
                unsent=sum(term["decisions"] - term["sent"] for term in terms if term["position"] == 2),
                is_current=terms[0]["is_current"],
            )
            for campaign, terms in campaigns.items()
        )

    @property
    def holds(self) -> bool:
        """Return whether the terms add up."""
        return self.decided == sum(count for count, _ in self.terms)

    @property
    def is_closed(self) -> bool:
        """Return whether all decisions are verified or left out."""
        return not any(count for count, term in self.terms if term == _TERMS["open"])

    @property
    def text(self) -> str:
        """Return the sum in words: ``5 decided to remove or reduce = 3 done and verified + ...``."""
        terms = " + ".join(f"{number(count)} {term}" for count, term in self.terms)
        return f"{number(self.decided)} decided to remove or reduce = {terms}"
