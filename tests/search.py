"""How long a test looks for counterexamples: few fixed examples in every run, many fresh ones in ``make test-deep``.

``tests/conftest.py`` registers the two profiles of Hypothesis. A test that calls :func:`looking_for` is marked
``search``, which is what ``make test-deep`` selects.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings

__all__ = ["DEEP", "QUICK", "is_deep", "looking_for"]

QUICK, DEEP = "quick", "deep"


def looking_for(*, quick: int, deep: int, **options: Any) -> settings:
    """Return the settings of a search with this many examples in the quick and in the deep profile."""
    return settings(max_examples=deep if is_deep() else quick, **options)


def is_deep() -> bool:
    """Return whether this is the long search. A test that asks is marked ``search`` too."""
    return settings.get_current_profile_name() == DEEP
