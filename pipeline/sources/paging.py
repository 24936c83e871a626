"""Paging: read a list to its end, and prove that it is the end.

A *sweep* reads the list once: a fixed number of workers take offsets from a queue. Each page begins with the last
record of the page before, which proves that no record was skipped between the two (the argument is in
:mod:`pipeline.sources.sweep`). The last record alone, and an empty page behind it, close the sweep. If the number of
records is known beforehand, these two are requested beside the last pages: the argument does not depend on the order.

Offsets shift when records are added or removed meanwhile. The signs are a boundary that does not match, a record that
came twice, and a count by the server that moved or disagrees. After any of them the list is swept again, until two
consecutive sweeps hold the same ids. A short list, a list without a count, one record a page, and keys that do not
ascend need the second sweep anyway. Servers that ignore ``skip`` send the whole list every time, and have a proof of
their own.

The work is bounded: in sweeps, in pages without a new record, and in records.

Any source whose lists have offsets implements :class:`PagedList`; the REST and the SCIM lists do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from pipeline.sources.errors import RefusedError, UnreadableError
from pipeline.sources.exchange import Reply
from pipeline.sources.records import Records
from pipeline.sources.sweep import Sweep

__all__ = ["PageKeeper", "PagedList", "ReadPage", "Reading", "read_list", "run_workers"]

_MOST_SWEEPS = 8
#: So many unreadable pages in one sweep end the reading.
_MOST_UNREADABLE = 3
_LEARNING_PAGES = 4
#: A list of so few pages is read twice in any case: one account that leaves while another arrives moves no count.
_FEW_PAGES = 50
#: Workers beyond the requests that may be in flight: they send while others read the answers.
_READERS = 2
#: A sweep ends after twice the server's count and so many pages more: the list never ends.
_MORE_PAGES = 20


class PagedList(Protocol):
    """A list that is read by offset, which counts from 0."""

    async def page(self, offset: int, limit: int) -> tuple[Reply, Records] | None:
        """Request one page. A list that is a range of a longer one returns None behind its end."""

    async def count(self) -> int | None:
        """Return the server's own count, or None if it has none."""


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page that was read. ``counts`` is false for an answer that only proves something, such as a repeated list."""

    answer: Reply
    records: Records
    sweep: int
    offset: int
    counts: bool = True


#: Receives every page that was read, in the order of the answers.
PageKeeper = Callable[[ReadPage], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """A list as it was read. ``accepted`` is the last sweep, without its ids; ``agreed`` is None if one was enough.

    ``before`` and ``after`` are the server's counts around the last sweep. ``overlaps`` holds, for each sweep in
    turn, the offsets of the pages whose first record is the last of the page before.
    """

    accepted: Sweep
    sweeps: int
    agreed: bool | None
    before: int | None
    after: int | None
    page_size: int
    overlaps: tuple[tuple[int, ...], ...]


async def read_list(
    paged: PagedList,
    keep: PageKeeper,
    *,
    page_size: int,
    workers: int,
    progress: Callable[[int, int | None], None],
    is_size_known: bool = False,
) -> Reading:
    """Read the list until its end is proven, or until it is clear that it cannot be proven.

    ``page_size`` is the largest page that is requested, in records; ``progress`` receives how many records were read,
    and the server's count. With ``is_size_known`` an earlier answer showed that the server honours that size, so
    that the first pages can be requested together.

    Raises:
        SourceError: the source stopped answering, or too many pages cannot be read.
    """
    reader = _ListReader(paged, keep, page_size=page_size, workers=workers, progress=progress)
    return await reader.read(is_size_known=is_size_known)


class _ListReader:
    def __init__(
        self,
        paged: PagedList,
        keep: PageKeeper,
        *,
        page_size: int,
        workers: int,
        progress: Callable[[int, int | None], None],
    ) -> None:
        self._list = paged
        self._keep = keep
        self._page_size = page_size
        self._step: int | None = None
        self._workers = workers + _READERS
        self._progress = progress
        self._total: int | None = None

    async def read(self, *, is_size_known: bool) -> Reading:
        previous: Sweep | None = None
        whole = careful = False
        self._step = self._page_size if is_size_known else None
        before = await self._list.count()
        number = 0
        overlaps: list[tuple[int, ...]] = []
        while True:
            number += 1
            self._total = before
            sweep = Sweep(number)
            if before is not None:
                sweep.most = 2 * before + _MORE_PAGES * self._page_size
            if whole:
                await self._read_whole(sweep, before)
                whole = sweep.is_whole
            else:
                await self._read_pages(sweep, before, previous, careful)
                whole = sweep.is_echo
            overlaps.append(sweep.boundaries().overlaps)
            after = await self._list.count()
            is_calm = before == after and sweep.is_closed
            agreed = previous is not None and previous.is_whole == sweep.is_whole and previous.same_as(sweep)
            is_long = len(sweep.spans) > _FEW_PAGES
            is_alone = sweep.is_whole or (number == 1 and after == sweep.distinct and is_long and _suffices(sweep))
            # the same records, although read with every care: another sweep would not find more
            is_final = agreed and before == after and (careful or sweep.is_whole or bool(sweep.unreadable))
            if (is_calm and (is_alone or agreed)) or is_final or sweep.ran_away or number == _MOST_SWEEPS:
                break
            if not sweep.unreadable:  # reading one page after the other would end at the first hole
                careful = careful or sweep.too_long or sweep.has_gap or (agreed and not sweep.is_closed)
            previous, before = sweep, after
        sweep.forget_ids()
        return Reading(
            accepted=sweep,
            sweeps=number,
            agreed=None if is_calm and is_alone else agreed,
            before=before,
            after=after,
            page_size=self._step or self._page_size,
            overlaps=tuple(overlaps),
        )

    async def _read_pages(self, sweep: Sweep, expected: int | None, previous: Sweep | None, careful: bool) -> None:
        """Read all pages: the first few to learn which page size the server honours, the others concurrently."""
        if self._step is None and not await self._learn(sweep):
            return
        horizon = None
        if not careful:
            # without a count, the previous sweep shows how far ahead it is worth reading
            horizon = previous.distinct if expected is None and previous is not None else expected
            # without either, a last record that came alone is likely the end, and one request shows it
            if horizon is not None or sweep.next_offset < sweep.reached or not sweep.spans:
                await self._read_concurrently(sweep, horizon, is_counted=expected is not None)
        step = self._step or self._page_size
        while not (sweep.halted or sweep.unreadable or sweep.has_gap or sweep.is_at_end):
            await self._page(sweep, sweep.next_offset, step)
        if expected != sweep.distinct and not sweep.halted and not sweep.unreadable:
            # no count confirms the end, and a hole in the list would look the same: look beyond it
            beyond = sweep.reached + step
            # pages that were requested without a horizon follow each other, so one behind that place means all before
            if not (beyond in sweep.empty or (horizon is None and sweep.empty and max(sweep.empty) > beyond)):
                await self._page(sweep, beyond, step)

    async def _learn(self, sweep: Sweep) -> bool:
        """Find the largest page the server gives; return False if the sweep ended or turned out to be an echo."""
        first = await self._first_page(sweep)
        if sweep.too_long:
            return False
        step = first
        for _ in range(_LEARNING_PAGES):
            if step >= self._page_size or not first:
                break
            came = await self._page(sweep, sweep.next_offset, self._page_size)
            if came is not None and sweep.reached == first:  # the first page held the whole list
                step = self._page_size
            if not came or came == step or sweep.is_echo or sweep.reached == first:
                break
            step = max(step, came)
        self._step = step or self._page_size
        return not sweep.is_echo

    async def _first_page(self, sweep: Sweep) -> int:
        """Request the first page, halving the limit while the server refuses it."""
        while True:
            try:
                page = await self._list.page(0, self._page_size)
            except RefusedError as error:
                if error.status not in (400, 422) or self._page_size <= 10:
                    raise
                self._page_size //= 2
                continue
            return self._take(sweep, 0, self._page_size, page)

    async def _read_concurrently(self, sweep: Sweep, horizon: int | None, *, is_counted: bool) -> None:
        """Read from where the sweep is; up to ``horizon`` records if their number is known, else to an empty page.

        Without a horizon most of the requests at once may be behind the end. So there are few at first, and more the
        longer the list is.
        """
        step = self._step or self._page_size
        stride = max(1, step - 1)  # each page begins with the last record of the page before
        position = sweep.next_offset
        # the last record alone, and nothing behind it; they go out last
        closing = [] if horizon is None else [at for at in (horizon, horizon - 1) if at >= position]
        if horizon is not None and not is_counted:
            closing.insert(0, horizon + step)  # without a count, nothing beyond that either

        def next_offset() -> int | None:
            nonlocal position
            is_beyond = sweep.empty and position >= min(sweep.empty)
            if sweep.halted:
                return None
            if is_beyond or (horizon is not None and position >= horizon - 1):
                return closing.pop() if closing else None
            position += stride
            return position - stride

        at_once = self._workers if horizon is not None else 1
        turns = asyncio.Semaphore(at_once)

        async def work() -> None:
            nonlocal at_once
            while True:
                async with turns:
                    if (offset := next_offset()) is None:
                        return
                    await self._chunk(sweep, offset, step, horizon)
                while at_once < min(self._workers, 1 + len(sweep.spans) // 2):
                    at_once += 1
                    turns.release()

        await run_workers(work, self._workers)

    async def _chunk(self, sweep: Sweep, offset: int, size: int, horizon: int | None) -> None:
        """Read ``size`` records from ``offset``. After a short page, read on from its last record.

        The last record of the chunk is left to the next one, which begins with it; so is that before ``horizon``.
        """
        end = offset + size
        last = offset + max(1, size - 1)
        while offset < last and not sweep.halted:
            came = await self._page(sweep, offset, end - offset)
            if not came or came >= end - offset or offset + came == horizon:
                return
            offset += max(1, came - 1)

    async def _page(self, sweep: Sweep, offset: int, limit: int) -> int | None:
        """Read one page; return the number of its records, or None if it cannot be read."""
        try:
            page = await self._list.page(offset, limit)
        except UnreadableError as error:
            sweep.unreadable.append(error.where)
            if len(sweep.unreadable) >= _MOST_UNREADABLE:
                raise
            return None
        return self._take(sweep, offset, limit, page)

    def _take(self, sweep: Sweep, offset: int, limit: int, page: tuple[Reply, Records] | None) -> int:
        if page is None:
            sweep.empty.add(offset)
            return 0
        answer, records = page
        sweep.take(offset, records, patience=self._workers + 2)
        sweep.too_long = sweep.too_long or records.items > limit
        self._keep(ReadPage(answer, records, sweep.number, offset))
        self._progress(sweep.distinct_ids + sweep.without_id, self._total)
        return records.items

    async def _read_whole(self, sweep: Sweep, expected: int | None) -> None:
        """Read a list whose server ignores ``skip``, and prove it by more answers and the count or the limit."""
        limit = max(self._page_size, (expected or 0) + 1)
        while True:
            page = await self._list.page(0, limit)
            if page is None:
                return
            answer, records = page
            fits = records.items != limit or limit > sweep.most
            if fits:
                break
            self._keep(ReadPage(answer, records, sweep.number, 0, counts=False))
            limit *= 2
        sweep.is_whole = True
        sweep.take(0, records, patience=1)
        self._keep(ReadPage(answer, records, sweep.number, 0))
        self._progress(sweep.distinct_ids + sweep.without_id, self._total)
        for offset in (max(1, records.items // 2), records.items + 1):
            if not await self._echoes(sweep, offset, limit):
                sweep.is_whole = False
                return
        if expected is not None:
            if expected == sweep.distinct:
                sweep.proof = "two more answers at other offsets had the same ids, and the server's count agrees"
        elif sweep.items > 1 and await self._echoes(sweep, 0, 2 * limit) and await self._echoes(sweep, 0, 1):
            # a server that honours a smaller limit may also have a maximum, and then this would not be the whole
            # list; a list of one record cannot show it
            sweep.proof = "two more answers at other offsets had the same ids, whatever the limit"

    async def _echoes(self, sweep: Sweep, offset: int, limit: int) -> bool:
        page = await self._list.page(offset, limit)
        if page is None:
            return False
        answer, records = page
        self._keep(ReadPage(answer, records, sweep.number, offset, counts=False))
        return set(records.ids) == sweep.ids and records.without_id == sweep.without_id


def _suffices(sweep: Sweep) -> bool:
    """Return whether one sweep is proof enough: every boundary was compared, and the keys ascend."""
    return not sweep.boundaries().open and sweep.is_ascending


async def run_workers(work: Callable[[], Awaitable[None]], workers: int) -> None:
    """Run several workers concurrently; the first failure ends them all and is raised by itself."""

    async def one() -> None:
        await work()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(one())
    except BaseExceptionGroup as failures:
        failure: BaseException = failures
        while isinstance(failure, BaseExceptionGroup):
            failure = failure.exceptions[0]
        raise failure from None
