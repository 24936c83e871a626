"""Makes row rules: who sees which rows of a model, column by column.

A pattern fills one column. Outside of what is planted, no user's rule is wider than those of the user's groups, and
every restricted column has a default rule that is not "everything".
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pipeline.simulator.objects import ROW_VALUE_MARKS

__all__ = ["DEFAULT", "RuleMaker", "group", "user"]

Record = dict[str, Any]
Share = dict[str, str]

_TABLES = ("Customers", "Orders", "Employees", "Accounts", "Invoices", "Tickets", "Stock Levels", "Campaign Spend")
_COLUMNS = (
    ("Country", "text"),
    ("Region", "text"),
    ("Account Id", "numeric"),
    ("Booked On", "datetime"),
    ("Owner", "text"),
    ("Cost Centre", "numeric"),
)
DEFAULT: Share = {"type": "default"}
"""The party of a default rule."""


def user(account_id: str) -> Share:
    """Return the party of a rule: one account."""
    return {"partyId": account_id, "type": "user"}


def group(group_id: str) -> Share:
    """Return the party of a rule: one group."""
    return {"partyId": group_id, "type": "group"}


class Column:
    """One column of a model while its rules are made."""

    def __init__(self, place: tuple[str, str, str], first: int, new_id: Callable[[], str]) -> None:
        self.table, self.name, self.datatype = place
        self.rules: list[Record] = []
        self._first = first
        self._new_id = new_id

    @property
    def place(self) -> str:
        """Return table and column, as findings name them."""
        return f"{self.table}.{self.name}"

    def value(self, number: int) -> object:
        """Return one of the values of the column."""
        text, digits, year = ROW_VALUE_MARKS
        number += self._first
        if self.datatype == "numeric":
            return int(f"{digits}{number:04d}")
        if self.datatype == "datetime":
            return f"{year}{1 + number % 12:02d}-{1 + number // 12 % 28:02d}T00:00:00.000Z"
        return f"{text}-{number:04d}"

    def add(self, shares: Iterable[Share], **fields: Any) -> None:
        """Add one rule."""
        self.rules.append(
            {
                "_id": self._new_id(),
                "table": self.table,
                "column": self.name,
                "datatype": self.datatype,
                "allMembers": None,
                "exclusionary": False,
                "members": [],
                "shares": list(shares),
                **fields,
            }
        )

    def everything(self, *shares: Share) -> None:
        """Let these parties see all rows."""
        self.add(shares, allMembers=True)

    def nothing(self, *shares: Share) -> None:
        """Let these parties see no row. Half of these rules say so with false, half with null."""
        self.add(shares, allMembers=None if len(self.rules) % 2 else False)

    def allow(self, numbers: Iterable[int], *shares: Share) -> None:
        """Let these parties see only the rows with these values."""
        self.add(
            shares, members=[self.value(number) for number in numbers], allMembers=None if self._first % 2 else False
        )

    def block(self, numbers: Iterable[int], *shares: Share) -> None:
        """Hide the rows with these values from these parties."""
        self.add(shares, members=[self.value(number) for number in numbers], exclusionary=True)


class RuleMaker:
    """Makes the columns of one organisation's models.

    ``people`` are accounts, ``groups`` are group ids, ``everyone_id`` is the built-in group of all accounts.
    """

    def __init__(
        self,
        rng: random.Random,
        people: Sequence[Record],
        groups: Sequence[str],
        everyone_id: str,
        new_id: Callable[[], str],
    ) -> None:
        self._rng = rng
        self._people = people
        self._groups = groups
        self._everyone_id = everyone_id
        self._new_id = new_id
        self._patterns = (self._regions, self._blocks, self._managers, self._users, self._everyone, self._defaults)
        self._made = 0

    def columns(self) -> Iterator[Column]:
        """Yield the columns of one model, without end and without rules."""
        number = 0
        while True:
            table = _TABLES[number // len(_COLUMNS) % len(_TABLES)]
            name, datatype = _COLUMNS[number % len(_COLUMNS)]
            again = number // (len(_COLUMNS) * len(_TABLES))
            place = (table, name if not again else f"{name} {again + 1}", datatype)
            yield Column(place, self._rng.randrange(0, 300), self._new_id)
            number += 1

    def ordinary(self, count: int) -> tuple[Record, ...]:
        """Return about this many rules of one model, in patterns that no rule finds; none if ``count`` is 0."""
        rules: list[Record] = []
        for column in self.columns():
            if len(rules) >= count:
                break
            self._patterns[self._made % len(self._patterns)](column)
            self._made += 1
            rules += column.rules
        return tuple(rules)

    # patterns ----------------------------------------------------------------------------------------------
    # value 0 of a column is the one that every group may see

    def _some_groups(self, most: int) -> list[str]:
        return self._rng.sample(self._groups, min(most, len(self._groups)))

    def _person(self) -> Share:
        return user(self._rng.choice(self._people)["_id"])

    def _regions(self, column: Column) -> None:
        chosen = self._some_groups(3)
        for number, group_id in enumerate(chosen):
            column.allow([0, 2 * number + 1], group(group_id))
        if len(chosen) > 1:
            column.allow([0, 8], group(chosen[0]), group(chosen[1]))
            column.block([8, 9], group(chosen[1]))
        column.allow([0], self._person())
        column.nothing(self._person())
        column.nothing(DEFAULT)

    def _blocks(self, column: Column) -> None:
        for number, group_id in enumerate(self._some_groups(3)):
            column.block([number], group(group_id))
        column.block(range(4), self._person())
        column.block([0, 1, 2, 3, 5], DEFAULT)

    def _managers(self, column: Column) -> None:
        chosen = self._some_groups(3)
        column.everything(*(group(each) for each in chosen[:1]))
        for group_id in chosen[1:2]:
            column.allow([0, 1], group(group_id))
        for group_id in chosen[2:]:
            column.nothing(group(group_id))
        column.nothing(DEFAULT)

    def _users(self, column: Column) -> None:
        first, second = self._person(), self._person()
        column.everything(first)
        column.allow([0, 1, 2], first)
        column.block([2], first)
        column.block([4, 5], second)
        column.everything(self._person())
        column.nothing(DEFAULT)

    def _everyone(self, column: Column) -> None:
        column.allow([0, 1], group(self._everyone_id))
        column.allow([0], self._person())
        column.nothing(DEFAULT)

    def _defaults(self, column: Column) -> None:
        column.allow([0, 6, 7], DEFAULT)
