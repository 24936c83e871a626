"""The base of everything that plants conditions in an organisation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from pipeline.simulator.organisation import Title
from pipeline.simulator.staffing import DOMAIN, Hire, Staffing

__all__ = ["Planter"]

_UNKNOWN_ID = "dead0000dead0000dead{:04x}"


class Planter:
    """Plants conditions in one organisation. Each subclass plants one kind."""

    def __init__(self, org: Staffing) -> None:
        self.org = org
        ordinary = (
            "Account Executive",
            "Software Engineer",
            "Operations Specialist",
            "Success Manager",
            "Accountant",
        )
        self._ordinary: Iterator[Title] = cycle(org.titles[name] for name in ordinary)
        self.engineer = org.titles["Data Platform Engineer"]
        self.analyst = org.titles["Marketing Analyst"]
        self.dangling = 0

    def times(self, full: int) -> range:
        """Return a range of this many repetitions in a full organisation, of one in a small one."""
        return range(full if self.org.is_full else 1)

    def viewer(self, *, seen: int | None = None, created: int | None = None, domain: str = DOMAIN) -> Hire:
        """Hire a person with an ordinary title."""
        return self.org.hire(next(self._ordinary), seen=seen, created=created, domain=domain)

    def unknown_id(self) -> str:
        """Return an id that no object has."""
        self.dangling += 1
        return _UNKNOWN_ID.format(self.dangling)
