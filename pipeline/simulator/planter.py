"""Who plants: an organisation, and ordinary people of it to make something of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from pipeline.simulator.organisation import Title
from pipeline.simulator.staffing import DOMAIN, Hire, Staffing

__all__ = ["Planter"]

_UNKNOWN_ID = "dead0000dead0000dead{:04x}"


class Planter:
    """Plants in one organisation; those who plant one kind of condition build on it."""

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
        """How often to plant something: so often in a full organisation, once in a small one."""
        return range(full if self.org.is_full else 1)

    def viewer(self, *, seen: int | None = None, created: int | None = None, domain: str = DOMAIN) -> Hire:
        """Hire somebody with an ordinary title."""
        return self.org.hire(next(self._ordinary), seen=seen, created=created, domain=domain)

    def unknown_id(self) -> str:
        """Return an id that nothing has."""
        self.dangling += 1
        return _UNKNOWN_ID.format(self.dangling)
