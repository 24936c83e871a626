"""How long a test looks for counterexamples: few fixed examples in every run, many fresh ones in ``make test-deep``.

``make test-deep SAMPLE=1`` takes a fifth of those examples, for checks that must end soon.
``tests/conftest.py`` registers the profiles of Hypothesis. A test that calls :func:`looking_for` is marked
``search``, which is what ``make test-deep`` selects.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings

__all__ = ["DEEP", "QUICK", "SAMPLE", "is_deep", "looking_for"]

QUICK, SAMPLE, DEEP = "quick", "sample", "deep"
#: The part of the deep examples that the sample takes: one in so many.
_ONE_IN = 5


def looking_for(*, quick: int, deep: int, **options: Any) -> settings:
    """Return the settings of a search with this many examples in the quick and in the deep profile."""
    examples = {QUICK: quick, SAMPLE: max(quick, deep // _ONE_IN), DEEP: deep}
    return settings(max_examples=examples.get(settings.get_current_profile_name(), quick), **options)


def is_deep() -> bool:
    """Return whether this is the long search or a sample of it. A test that asks is marked ``search`` too."""
    return settings.get_current_profile_name() in (SAMPLE, DEEP)
