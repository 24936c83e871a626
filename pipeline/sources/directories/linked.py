"""Linked lists: lists whose pages link to the next one, as those of Okta and Microsoft Graph do.

Such a list can only be read in order, one page after the other. It ends with the page that has no next link. Nothing
in an answer proves that this page is the last one, because a link may get lost. So a reading is accepted if the
server's own count agrees with it, before and after. Without a count, two consecutive readings must hold the same ids.

A page that repeats records is a sign that others are missing: the list is then read again. The work is bounded in
readings, in pages without a new record, and in records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from pipeline.sources.exchange import Reply
from pipeline.sources.paging import run_workers
from pipeline.sources.records import Key, Records
from pipeline.spool import Observation
from pipeline.wording import counted

__all__ = [
    "LinkedList",
    "LinkedPage",
    "LinkedReading",
    "LinkedSweep",
    "Seen",
    "end_proven",
    "ignore",
    "read_linked",
    "sweeps_agree",
]

_MOST_SWEEPS = 6
#: So many pages in a row without a new record end a reading. Microsoft Graph may send some empty pages.
_MOST_STALE = 20
#: A list that is longer than this is taken as endless.
_MOST_RECORDS = 5_000_000


#: Receives a next link early.
Seen = Callable[[str], None]


def ignore(_: str) -> None:
    """Receive a next link, and do nothing."""


@dataclass(frozen=True, slots=True)
class LinkedPage:
    """One page: what returns its records, and the link to the next page as the server wrote it, None at the end.

    The records are made from the answer while the next page is under way.
    """

    read: Callable[[], Records]
    next: str | None


class LinkedList(Protocol):
    """A list that is read by links. ``starts`` are the addresses of its first pages: a list may have several parts.

    ``page_size`` is the most records that a page was requested with.
    """

    page_size: int

    @property
    def starts(self) -> Sequence[str]:
        """Return the addresses of the first pages."""

    async def page(self, link: str, seen: Seen = ...) -> tuple[Reply, LinkedPage]:
        """Request one page. ``seen`` may be called with the next link before the answer is read and checked."""

    async def count(self) -> int | None:
        """Return the server's own count, or None if it has none."""


@dataclass(slots=True)
class LinkedSweep:
    """One reading of a list. ``parts`` holds the ids of each part; an id is in two parts if the record moved."""

    number: int
    parts: list[set[Key]]
    items: int = 0
    without_id: int = 0
    repeated: int = 0
    pages: int = 0
    stale: int = 0
    halted: str | None = None
    distinct: int = field(default=0, init=False)
    moved: int = field(default=0, init=False)

    @property
    def is_closed(self) -> bool:
        """Return whether every part was read to a page without a next link, and no page repeated a record."""
        return self.halted is None and not self.repeated

    def take(self, part: int, records: Records) -> None:
        """Add a page; halt the reading after too many pages without a new record, or too many records."""
        ids, found = self.parts[part], records.ids
        known = len(ids)
        ids.update(found)
        new = len(ids) - known
        self.pages += 1
        self.items += records.items
        self.without_id += records.without_id
        self.repeated += len(found) - new
        self.stale = 0 if new or records.without_id else self.stale + 1
        if self.halted is None and self.stale > _MOST_STALE:
            self.halted = f"{counted(self.stale, 'page')} in a row contained no new record"
        elif self.halted is None and self.items > _MOST_RECORDS:
            self.halted = f"more than {counted(_MOST_RECORDS, 'record')} came"

    def close(self) -> None:
        """Count the different records."""
        ids = self.ids()
        self.distinct = len(ids) + self.without_id
        self.moved = sum(map(len, self.parts)) - len(ids)

    def ids(self) -> set[Key]:
        """Return the ids of all parts."""
        return self.parts[0] if len(self.parts) == 1 else set().union(*self.parts)

    def same_as(self, other: LinkedSweep) -> bool:
        """Return whether two readings hold the same records."""
        return self.distinct == other.distinct and self.ids() == other.ids()


@dataclass(frozen=True, slots=True)
class LinkedReading:
    """A list as it was read. ``accepted`` is the last reading; ``agreed`` is None if a count made one enough.

    ``before`` and ``after`` are the server's counts around it.
    """

    accepted: LinkedSweep
    sweeps: int
    agreed: bool | None
    before: int | None
    after: int | None

    @property
    def is_proven(self) -> bool:
        """Return whether the list was read to its end."""
        if not self.accepted.is_closed:
            return False
        if self.after is not None and self.accepted.distinct != self.after:
            return False
        return self.after is not None or self.agreed is not False


async def read_linked(
    linked: LinkedList,
    keep: Callable[[Reply, Records, int, int], None],
    progress: Callable[[int, int | None], None],
    *,
    short_is_enough: bool = False,
) -> LinkedReading:
    """Read the list until its end is proven, or until it is clear that it cannot be proven.

    ``short_is_enough`` is for the many short lists of a directory, the members of groups: without a count, one
    reading of a list that is shorter than a page is accepted, and a count is requested only once for each reading.
    ``keep`` receives each page with the number of its reading and the records read before it; ``progress`` receives
    the number of records, and the server's count.

    Raises:
        SourceError: the source stopped answering, or a page links to another host.
    """
    before = None if short_is_enough else await linked.count()
    previous: LinkedSweep | None = None
    number = 0
    while True:
        number += 1
        sweep = LinkedSweep(number, [set() for _ in linked.starts])
        await _read_parts(linked, sweep, keep, partial(_report, progress, before))
        sweep.close()
        after = await linked.count()
        is_steady = short_is_enough or before == after
        is_counted = sweep.is_closed and not sweep.moved and is_steady and after == sweep.distinct
        is_short = short_is_enough and after is None and sweep.is_closed and sweep.items < linked.page_size
        agreed = previous is not None and previous.same_as(sweep) and previous.is_closed == sweep.is_closed
        if is_counted or is_short or agreed or number == _MOST_SWEEPS:
            break
        previous, before = sweep, after
    sweep.parts = [set() for _ in sweep.parts]
    is_enough = (is_counted or is_short) and not agreed
    return LinkedReading(sweep, number, None if is_enough else agreed, before, after)


def _report(progress: Callable[[int, int | None], None], total: int | None, items: int) -> None:
    progress(items, total)


async def _read_parts(
    linked: LinkedList,
    sweep: LinkedSweep,
    keep: Callable[[Reply, Records, int, int], None],
    progress: Callable[[int], None],
) -> None:
    """Read the parts of a list concurrently, and the pages of each part in order."""
    waiting = list(enumerate(linked.starts))

    async def work() -> None:
        while waiting and sweep.halted is None:
            part, start = waiting.pop(0)
            await _read_part(linked, sweep, part, start, keep, progress)

    await run_workers(work, len(waiting))


class _Ahead:
    """A page under way. While it is the head, the next page is requested as soon as a link to it is seen.

    The link may be seen before the answer is read; a page that turns out to have another link loses its follower. At
    most three pages are held: one that is read, the head, and its follower.
    """

    def __init__(self, linked: LinkedList, link: str) -> None:
        self._linked = linked
        self._seen: str | None = None
        self._follower: _Ahead | None = None
        self._is_head = False
        self.link = link
        self.page = asyncio.ensure_future(linked.page(link, self._see))
        # A page that is no longer wanted may fail; asyncio would print that.
        self.page.add_done_callback(lambda page: page.cancelled() or page.exception())

    def lead(self) -> None:
        """Make this page the head."""
        self._is_head = True
        self._request()

    def follow(self, link: str) -> _Ahead:
        """Return the page behind the link that this page has for certain."""
        if self._follower is None or self._follower.link != link:
            self.cancel()
            self._follower = _Ahead(self._linked, link)
        return self._follower

    def cancel(self) -> None:
        """Stop this page and its follower."""
        self.page.cancel()
        if self._follower is not None:
            self._follower.cancel()

    def _see(self, link: str) -> None:
        self._seen = link
        self._request()

    def _request(self) -> None:
        if self._is_head and self._seen is not None and self._follower is None and self._seen != self.link:
            self._follower = _Ahead(self._linked, self._seen)


async def _read_part(
    linked: LinkedList,
    sweep: LinkedSweep,
    part: int,
    start: str,
    keep: Callable[[Reply, Records, int, int], None],
    progress: Callable[[int], None],
) -> None:
    followed = {start}
    head: _Ahead | None = _Ahead(linked, start)
    try:
        while head is not None and sweep.halted is None:
            head.lead()
            answer, page = await head.page
            link = page.next
            if link in followed:
                sweep.halted = "a page links to one that was read before"
            elif link is None:
                head.cancel()
                head = None
            else:
                followed.add(link)
                head = head.follow(link)
                head.lead()
            records = await asyncio.to_thread(page.read)
            keep(answer, records, sweep.number, sweep.items)
            sweep.take(part, records)
            progress(sweep.items)
    finally:
        if head is not None:
            head.cancel()
            await asyncio.gather(head.page, return_exceptions=True)


def end_proven(check_id: str, things: str, reading: LinkedReading) -> Observation:
    """Check that a list was read to its end. ``things`` is what it lists, in the plural."""
    sweep = reading.accepted
    doubt = _doubt(things, reading)
    proof = f"The last page of the list of {things} has no next page, and no record came twice"
    if reading.after is not None:
        proof += f"; the directory counts {reading.after:,}, and the same number was read"
    if reading.agreed:
        proof += "; two consecutive readings hold the same ids"
    return Observation(
        check_id=check_id,
        description=f"The list of {things} was read to its end",
        expected=None if reading.after is None else str(reading.after),
        observed=str(sweep.distinct),
        difference=None if reading.after is None else sweep.distinct - reading.after,
        result="FAIL" if doubt else "PASS",
        explanation=doubt or f"{proof}.",
    )


def _doubt(things: str, reading: LinkedReading) -> str | None:
    """Return the reason why the end of a list is not proven, or None if it is."""
    sweep = reading.accepted
    if sweep.halted:
        return f"Reading the list of {things} was stopped: {sweep.halted}."
    if sweep.repeated:
        return (
            f"{counted(sweep.repeated, 'record')} of the list of {things} came twice in one reading, "
            "so others may be missing."
        )
    if reading.after is not None and reading.after != sweep.distinct:
        return f"The directory counts {reading.after:,} {things}, but {sweep.distinct:,} were read."
    if not reading.is_proven:
        return f"The directory has no count of {things}, and no two consecutive readings of the list agreed."
    return None


def sweeps_agree(things: str, reading: LinkedReading) -> Observation:
    """Check that two consecutive readings hold the same records, where one was not enough."""
    if reading.agreed is None:
        words = "One reading was enough: the directory's count did not change and agrees, and no record came twice."
    elif reading.agreed:
        words = f"The last two of {reading.sweeps} readings contain the same {things}."
    else:
        words = f"The last two of {reading.sweeps} readings do not contain the same {things}."
    return Observation(
        check_id="sweeps_agree",
        description=f"Two consecutive readings of the list contain the same {things}, where there is no count",
        expected=None,
        observed=str(reading.sweeps),
        difference=None,
        result="NOT_AVAILABLE" if reading.agreed is None else "PASS" if reading.agreed else "FAIL",
        explanation=words,
    )
