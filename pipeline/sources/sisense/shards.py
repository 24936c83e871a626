"""Shards: several extracts read one list of accounts, each a range of it. A merge joins them.

Why the union of shards contains every account
----------------------------------------------
The list is in the order of its ids. Each shard reads a range of places and proves, with overlapping pages, that it
contains every account that was there during its reading with an id between its first and its last one (see
:mod:`pipeline.sources.sweep`). The first shard begins where the list begins, and the last one ends where it ends.

Places shift when accounts come and go between the readings; ids do not. A merge therefore compares ids: if the first
id of each shard is not behind the last id of the shard before, the intervals of ids cover all ids. So an account
that was there from the beginning of the first reading to the end of the last one is in at least one shard. Adjacent
shards share more than a page, so that small shifts leave no gap.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.errors import ContentError, UsageError
from pipeline.sources.exchange import Reply
from pipeline.sources.paging import Reading
from pipeline.sources.records import Key, Records
from pipeline.sources.sisense.lists import RestList
from pipeline.spool import Observation

__all__ = ["Shard", "ShardList"]

#: Many more shards than machines would only repeat the pages that adjacent shards share.
_MOST_SHARDS = 1000


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``of`` ranges of the list; ``number`` counts from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read a shard as ``2/5``.

        Raises:
            UsageError: it is not one.
        """
        found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]) <= _MOST_SHARDS:
            raise UsageError(
                f"'{text}' is not a shard",
                where="--shard",
                hint=f"write K/N, such as 2/5, with K from 1 to N and N at most {_MOST_SHARDS}",
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        """Return it as :meth:`parse` reads it."""
        return f"{self.number}/{self.of}"


class ShardList:
    """A range of a list (see :class:`~pipeline.sources.paging.PagedList`); its offsets count from ``first``.

    It begins with the last record of the shard before, and goes a page beyond the first record of the next. ``total``
    is the server's count of the whole list, by which the range was chosen.

    Raises:
        ContentError: the list is not in the order of its ids.
    """

    def __init__(self, users: RestList, shard: Shard, total: int | None, page_size: int) -> None:
        if total is None:
            raise _unfit("it does not count its accounts", users)
        if users.endpoint.query.get("sort") != "_id":
            raise _unfit("it does not sort them by id", users)
        self.shard = shard
        self.endpoint = users.endpoint
        self.first = max(0, (shard.number - 1) * total // shard.of - 1)
        self._users = users
        self._total = total
        end = total if shard.number == shard.of else min(total, shard.number * total // shard.of + page_size)
        self._length = end - self.first
        self._counts: list[int | None] = []

    async def page(self, offset: int, limit: int) -> tuple[Reply, Records] | None:
        """Request one page; return None behind the range, unless the list ends with it."""
        if self.shard.number < self.shard.of:
            limit = min(limit, self._length - offset)
        return await self._users.page(self.first + offset, limit) if limit > 0 else None

    async def count(self) -> int | None:
        """Return the number of records in the range; it differs as soon as the count of the whole list does."""
        count = await self._users.count()
        self._counts = [*self._counts[-1:], count]
        return None if count is None else self._length + count - self._total

    @property
    def counts(self) -> dict[str, int | None]:
        """Return the server's counts of the whole list before and after the last reading."""
        return {"users_before": self._counts[0], "users_after": self._counts[-1]}

    def settings(self, reading: Reading) -> dict[str, str]:
        """Return what a merge needs to know: the number of the shard, and the ids at its ends."""
        spans = reading.accepted.spans
        ends = (min(spans, key=lambda s: s.offset).first, max(spans, key=lambda s: s.end).last) if spans else ()
        return {"shard": str(self.shard)} | dict(
            zip(("shard_first_id", "shard_last_id"), map(_text, ends), strict=False)
        )

    def proof(self, seen: Sequence[Observation], reading: Reading | None) -> list[Observation]:
        """Return the checks of a list in words that fit a shard, and its own. One fails: a shard is not the list."""
        found = [self._described(check) for check in seen]
        found.append(
            _check(
                "shard_alone",
                "The list was read by one extract, not in shards",
                f"This is shard {self.shard} of the accounts: 'access-review merge' joins all shards.",
                is_passed=False,
            )
        )
        if reading is not None:
            sweep = reading.accepted
            is_sorted = sweep.is_ascending and not sweep.without_id and not sweep.is_whole
            words = "The ids ascend from page to page."
            if not is_sorted:
                words = "The ids do not ascend, so nothing shows which part of the list this is."
            description = "The accounts of the shard are in the order of their ids"
            found.append(_check("shard_sorted", description, words, is_passed=is_sorted))
        return found

    def _described(self, seen: Observation) -> Observation:
        """Return a check in words that fit a shard. The last shard alone proves the end of the list."""
        if seen.check_id != "end_proven" or seen.result != "PASS" or self.shard.number == self.shard.of:
            return seen
        return replace(
            seen,
            description="The pages cover the range of the shard without a gap",
            explanation=f"The pages cover the places {self.first} to {self.first + self._length} of the list without "
            "a gap, and no record came twice.",
        )


def _check(check_id: str, description: str, explanation: str, *, is_passed: bool) -> Observation:
    return Observation(
        check_id=check_id,
        description=description,
        expected=None,
        observed=None,
        difference=None,
        result="PASS" if is_passed else "FAIL",
        explanation=explanation,
    )


def _text(key: Key | None) -> str:
    return f"{key:024x}" if isinstance(key, int) else key or ""


def _unfit(why: str, users: RestList) -> ContentError:
    return ContentError(
        f"this source cannot be read in shards: {why}",
        where=users.where,
        hint="extract it without --shard",
    )
