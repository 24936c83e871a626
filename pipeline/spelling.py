"""Guesses the known name behind a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["misspelt", "nearest", "suggestion"]

#: How alike two names must be (0 to 1) for a hint that a person reads.
_HINTED = 0.6
#: How alike two names must be, and how much their lengths may differ, for a file to be refused because of it.
_MISSPELT = 0.8
_LENGTH_DIFFERENCE = 2


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most similar to the one given, or None if no name is similar."""
    return _closest(name, known, _HINTED)


def suggestion(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return a hint for an unknown name: the nearest known one, else ``otherwise`` and all of them."""
    names = sorted(known)
    match = nearest(name, names)
    if match:
        return f"did you mean '{match}'?"
    return f"{otherwise}: {', '.join(names)}" if names else "there are none"


def misspelt(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that this one is probably meant to be, or None."""
    found = _closest(name, known, _MISSPELT)
    return found if found and abs(len(found) - len(name)) <= _LENGTH_DIFFERENCE else None


def _closest(name: str, known: Iterable[str], likeness: float) -> str | None:
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=likeness)
    return found[0] if found else None
