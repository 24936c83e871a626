"""One row of a table of cases: the kind of trouble, an input of that kind, and the outcome a user must see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

__all__ = ["Case", "each"]


@dataclass(frozen=True)
class Case:
    """``given`` says the input in words; ``content`` is the input itself, of whatever shape the test needs."""

    kind: str
    given: str
    outcome: str
    content: Any = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.given} -> {self.outcome}"


def each(cases: Sequence[Case]) -> pytest.MarkDecorator:
    """Run a test once for each case; the test's name states the whole row."""
    return pytest.mark.parametrize("case", cases, ids=str)
